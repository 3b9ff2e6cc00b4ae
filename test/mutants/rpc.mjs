const answered = 'test/queue/requests-are-answered.spec.ts';
const author = 'test/queue/a-stream-has-one-author.spec.ts';
const forged = 'test/queue/a-reply-cannot-be-forged.spec.ts';
const stream = 'libs/queue/src/rpc/reply-stream.ts';
const lost = 'test/queue/no-reply-is-lost.spec.ts';
const slow = 'test/queue/a-stream-may-last-longer-than-its-timeout.spec.ts';
const responder = 'libs/queue/src/rpc/rpc-responder.ts';
const client = 'libs/queue/src/rpc/rpc-client.ts';

/** Requests and their replies. */
export default {
  area: 'rpc',
  mutants: [
    {
      promise: 'a handler has no longer than its requester waits',
      file: 'libs/queue/src/handling/message-runner.ts',
      replace: `handlerTimeoutMs: Math.min(waitMs, plan.handlerTimeoutMs || waitMs)`,
      by: `handlerTimeoutMs: plan.handlerTimeoutMs`,
      spec: 'test/queue/a-request-ends-with-its-requester.spec.ts',
    },
    {
      promise: 'an expired request never becomes a dead letter',
      file: 'libs/queue/src/dead-letters/dead-letter-follow-up.ts',
      replace: `if (why.reason === 'expired' && isRequest(message)) return carried({ kind: 'arrived' });`,
      by: '',
      spec: 'test/queue/a-request-ends-with-its-requester.spec.ts',
    },
    {
      promise: 'of an error, its requester gets what was marked and nothing else',
      file: 'libs/core/src/remote-failure.ts',
      replace: `const marked = propertyOf(thrown, remoteDetails);`,
      by: `const marked = thrown;`,
      spec: answered,
    },
    {
      promise: "of Nest's RpcException, its requester gets what it was given",
      file: 'libs/core/src/remote-failure.ts',
      replace: `[givenToRpcException(thrown), markedIn(thrown)]`,
      by: `[givenToRpcException(undefined), markedIn(thrown)]`,
      spec: 'test/nest/queue-handlers-in-nest.spec.ts',
    },
    {
      promise: 'of an error in the object that a Nest service sends, no more than of one that was thrown',
      file: 'libs/core/src/remote-failure.ts',
      replace: `isInstance(value, Error) ? withoutDetails(value) : value`,
      by: `value`,
      spec: 'test/nest/message-patterns.spec.ts',
    },
    {
      promise: 'what was yielded before an error arrives before it',
      file: responder,
      replace: `await items.sent().catch(ignore);`,
      by: `void ignore;`,
      spec: answered,
    },
    {
      promise: 'a request that failed is not retried',
      file: 'libs/queue/src/handling/replies.ts',
      replace: `if (isFailedRequest(held, settlement)) return`,
      by: `if (false) return`,
      spec: answered,
    },
    {
      promise: 'a request that its requester gave up is cancelled',
      file: client,
      replace: `    sent.then(cancel).catch(ignore);`,
      by: `    void cancel;`,
      spec: answered,
    },
    {
      promise: 'replies that are not read have an expiry',
      file: 'libs/queue/src/store/replies.ts',
      replace: `firstId, 'made', '')\nredis.call('PEXPIRE', replies, ttlMs)`,
      by: `firstId, 'made', '')`,
      spec: 'test/queue/what-replies-leave-expires.spec.ts',
    },
    {
      promise: 'what is known of a stream of replies has an expiry',
      file: 'libs/queue/src/store/replies.ts',
      replace: `redis.call('PEXPIRE', consumed, ttlMs)\n`,
      by: '',
      spec: 'test/queue/what-replies-leave-expires.spec.ts',
    },
    {
      promise: 'a stream has one author',
      file: 'libs/queue/src/rpc/rpc-stream.ts',
      replace: `this.#author ??= author;`,
      by: `this.#author = author;`,
      spec: author,
    },
    {
      promise: 'a single result does not come into the middle of a stream',
      file: 'libs/queue/src/rpc/rpc-stream.ts',
      replace: `if (reply.kind === 'result' && this.#expected > 0) return;`,
      by: '',
      spec: author,
    },
    {
      promise: 'a reply that was sent twice is taken once',
      file: 'libs/queue/src/rpc/rpc-stream.ts',
      replace: ` || reply.sequence !== this.#expected`,
      by: '',
      spec: lost,
    },
    {
      promise: 'a responder is no further ahead than its window',
      file: 'libs/queue/src/rpc/reply-items.ts',
      replace: `Math.min(maxWaiting, replyWindow - (this.#first - this.#consumed))`,
      by: `maxWaiting + 0 * replyWindow`,
      spec: answered,
    },
    {
      promise: 'a reply is sent until Redis has confirmed it',
      file: responder,
      replace: `await retryUntil({ until, isGivenUp }, () => sendReply(this.#connection.commands, keys, frame));`,
      by: `await sendReply(this.#connection.commands, keys, frame);`,
      spec: lost,
    },
    {
      promise: 'a slow requester does not take its responder for silent',
      file: 'libs/queue/src/rpc/rpc-stream.ts',
      replace: `const isBehind = this.#waiting.length > 0;`,
      by: `const isBehind = false as boolean;`,
      spec: 'libs/queue/src/rpc/rpc-stream.spec.ts',
    },
    {
      promise: 'a stream may last longer than its timeout',
      file: responder,
      replace: `const onTaken = () => request.extend?.();`,
      by: `const onTaken = () => undefined;`,
      spec: slow,
    },
    {
      promise: 'a request whose id was published before is refused',
      file: client,
      replace: `if (isRepetition(receipt)) stream.failed(repetition(subject, receipt));`,
      by: '',
      spec: 'test/queue/a-repeated-request-fails-immediately.spec.ts',
    },
    {
      promise: 'no key is made for a requester that is gone',
      file: 'libs/queue/src/store/replies.ts',
      replace: `'NOMKSTREAM', '*'`,
      by: `'*'`,
      spec: forged,
    },
    {
      promise: 'a reply goes to no queue that is not allowed',
      file: 'libs/queue/src/model/reply-target.ts',
      replace: `replyQueues.includes(replyTo) ? 'queue' : 'refused'`,
      by: `'queue' as 'queue' | 'refused'`,
      spec: forged,
    },
    {
      promise: 'a requester notices that its reply stream is gone',
      file: stream,
      replace: `if (!wasThere) this.#listener.lost();`,
      by: `void wasThere;`,
      spec: forged,
    },
    {
      promise: 'a requester that waits notices that its reply stream has become another key',
      file: 'libs/queue/src/store/replies.ts',
      replace: `if isReplaced == '1' or not isStream then`,
      by: `if isReplaced == '1' then`,
      spec: forged,
    },
    {
      promise: 'a reply stream whose ids ran ahead is made again',
      file: stream,
      replace: `next === undefined || isBeyondTime(next.last)`,
      by: `next === undefined && isBeyondTime('')`,
      spec: forged,
    },
  ],
};
