import { describe, expect, it } from '@jest/globals';
import { decodeFrame, encodeFrame } from '../model/message-frame.js';
import { MessageContext } from './message-context.js';

/** A request, and what Redis answers each time it is asked whether the request is still its consumer's. */
function requestOf(...answers: (Error | boolean)[]): MessageContext {
  const holds = async (): Promise<boolean> => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer === true;
  };
  const properties = { replyTo: 'reply:r', correlationId: 'r.0', expirationMs: 30_000 };
  const plain = { priority: 0, codecId: 1, exchange: '', routingKey: 'work', headers: {}, timestamp: 0 };
  const message = decodeFrame(encodeFrame({ ...plain, properties, body: '1' }, 'work'), 'work');
  const source = { queue: 'work', reportProgress: async () => true, holds };
  return new MessageContext(source, 'm', message, { returns: 0, failures: 0, postponements: 0, losses: 0 });
}

describe('whether a request may be replied to', () => {
  const lost = () => new Error('the connection to Redis was lost before it replied');

  it('is asked through an outage, as long as the requester waits', async () => {
    await expect(requestOf(lost(), lost(), true).mayReply()).resolves.toBe(true);
    await expect(requestOf(lost(), false).mayReply()).resolves.toBe(false);
  });

  it('is asked no more when the request was given up', async () => {
    const context = requestOf(lost(), lost(), lost());
    const answer = context.mayReply();
    context.abandon(new Error('cancelled'));
    await expect(answer).rejects.toThrow('lost');
    expect(context.mayReply()).toBe(false);
  });
});
