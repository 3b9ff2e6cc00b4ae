import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import fc from 'fast-check';
import { decodeBatch } from '../../libs/log/src/model/batch-compression.js';
import { nextPlan, parsePlan, plannedTopics } from '../../libs/log/src/model/group-plan.js';
import { decodeProgress } from '../../libs/log/src/model/progress.js';
import { frameBatch, RecordBatchWriter } from '../../libs/log/src/model/record-batch.js';
import { parseSubscription, topicsTaken } from '../../libs/log/src/model/subscription.js';
import { parsePresence } from '../../libs/log/src/store/presence.js';
import { asDeadLetter, isCycle, parseWhyDead } from '../../libs/queue/src/model/dead-letter.js';
import { combineSettlements, parseHandled } from '../../libs/queue/src/model/handled.js';
import { decodeFrame, encodeFrame } from '../../libs/queue/src/model/message-frame.js';
import { parseRemoteFailure } from '../../libs/queue/src/model/remote-failure.js';
import { decodeReply, encodeReply } from '../../libs/queue/src/model/reply-frame.js';
import { RemoteError } from '../../libs/queue/src/rpc/rpc-errors.js';
import { holds, shownSeeds } from '../fuzz-seed.js';
import { hostileBytes, hostileJson, readsOrSays } from './hostile.js';

const hostileHeaders = fc.dictionary(fc.constantFrom('a', '__proto__', 'x-death', 'millrace-x'), fc.string());
const batch = fc
  .tuple(fc.array(fc.tuple(fc.string(), hostileHeaders), { maxLength: 5 }), fc.nat(3))
  .map(([records]) => {
    const writer = new RecordBatchWriter();
    for (const [value, headers] of records) writer.add(1000, value, headers, value);
    return Buffer.from(writer.finishFrame(1));
  });
const message = fc
  .tuple(fc.string(), fc.string(), hostileHeaders, fc.string())
  .map(([exchange, key, headers, deaths]) =>
    encodeFrame({
      priority: 0,
      codecId: 1,
      timestamp: 1,
      exchange,
      routingKey: key,
      headers,
      properties: { replyTo: deaths, expirationMs: 5 },
      deaths: JSON.parse(JSON.stringify([{ queue: deaths, reason: 'expired', count: 1 }])),
      body: 'body',
    }),
  );
const reply = fc
  .string()
  .map((correlationId) => encodeReply({ kind: 'item', correlationId, sequence: 1, codecId: 1, body: 'b' }));

/** Runs a property over hostile input. */
function isRead<T>(input: fc.Arbitrary<T>, read: (value: T) => unknown): Promise<void> {
  return holds(
    fc.property(input, (value) => void readsOrSays(() => read(value))),
    1000,
  );
}

describe(`whatever bytes stand in Redis (${shownSeeds})`, () => {
  it('a record batch is read, or is a CodecError', async () => {
    await isRead(hostileBytes(batch), (frame) => decodeBatch(frame, 100, { maxBytes: 1_000_000 }));
  });

  it('a message is read, dies and goes on, or is a CodecError', async () => {
    const target = { exchange: '', routingKey: 'q.dead-letters' };
    await isRead(fc.oneof(message, hostileBytes(message)), (frame) => {
      const stored = decodeFrame(frame, 'q');
      isCycle(stored.deaths, 'q');
      return encodeFrame(asDeadLetter(stored, 'q', { reason: 'failed', time: 1 }, target), 'q.dead-letters');
    });
  });

  it('a reply is read, or is a CodecError', async () => {
    await isRead(hostileBytes(reply), decodeReply);
  });

  it("a group's progress is read, or is a CodecError, and never reaches far ahead", async () => {
    await isRead(
      hostileBytes(fc.constantFrom(Buffer.from([1, 1, 5, 2, 0, 3, 4]), Buffer.from([2, 1, 5, 2, 1, 6, 2, 0, 3, 4]))),
      (bytes) => {
        const { done } = decodeProgress(10, bytes);
        for (const { start, length } of done)
          if (start + length > 2 ** 26) throw new Error(`reaches ${start + length}`);
      },
    );
  });

  it('a plan, a subscription and a presence are read, or count for nothing', async () => {
    const fields = ['topics', 'members', 'assignment', 'kind', 'source', 'flags', 'orders'];
    await isRead(hostileJson(fields), (json) => {
      const plan = parsePlan(json);
      const subscription = parseSubscription(json) ?? { kind: 'topics', topics: ['orders'] };
      const dead = new Set(['orders.dead-letters']);
      topicsTaken(subscription, ['orders'], dead);
      const members = new Map([['me', subscription]]);
      const known = new Map([['orders', { id: 1, partitions: 3 }]]);
      nextPlan(plan, members, plannedTopics(plan, members.values(), known, dead), dead);
      return Object.entries(parsePresence(json));
    });
  });

  it("why a message died, which handlers are through, and a responder's error are read, or count for nothing", async () => {
    const fields = ['reason', 'time', 'error', 'id', 'handler', 'done', 'dead', 'name', 'message', 'stack', 'details'];
    await isRead(hostileJson(fields), (json) => {
      const why = parseWhyDead(json);
      expect(typeof why.reason + typeof why.time).toBe('stringnumber');
      combineSettlements(parseHandled(json), []);
      return new RemoteError(parseRemoteFailure(json)).message;
    });
  });

  it('a small batch that would become a large one is refused before it does', () => {
    const bomb = deflateRawSync(Buffer.alloc(200 * 1024 * 1024));
    const frame = frameBatch({ codecId: 1, compression: 'zlib', count: 1, baseTimestamp: 0, body: bomb });
    expect(frame.length).toBeLessThan(300_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => decodeBatch(frame, 1)).toThrow(CodecError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 * 1024 * 1024);
  });
});
