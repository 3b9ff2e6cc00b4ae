import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isRequest, replyAddress, replyTargetOf } from './reply-target.js';

describe('the target of a reply', () => {
  const secret = randomBytes(16).toString('base64url');
  const address = replyAddress(secret);

  it('is the reply stream that an address names, whatever queues are allowed', () => {
    expect(address).toBe(`reply:${secret}`);
    expect(replyTargetOf(address)).toEqual({ kind: 'stream', secret });
    expect(replyTargetOf(address, [address])).toEqual({ kind: 'stream', secret });
    expect(isRequest({ properties: { replyTo: address } })).toBe(true);
  });

  it.each(['replies', `x-${address}`, `${address}x`, address.slice(0, -1), 'reply:a}b', 'reply:'])(
    'is the queue %j where that is allowed, and refused otherwise',
    (queue) => {
      expect(replyTargetOf(queue, ['other', queue])).toEqual({ kind: 'queue', queue });
      expect([replyTargetOf(queue), replyTargetOf(queue, ['other'])]).toEqual([
        { kind: 'refused', queue },
        { kind: 'refused', queue },
      ]);
      expect(isRequest({ properties: { replyTo: queue } })).toBe(false);
    },
  );

  it('is none where no reply is wanted', () => {
    expect(replyTargetOf(undefined, ['q'])).toBeUndefined();
    expect(isRequest({ properties: {} })).toBe(false);
  });
});
