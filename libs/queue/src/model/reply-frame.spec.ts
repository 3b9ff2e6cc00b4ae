import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import { decodeReply, encodeReply, isRequest, replyAddress, replyKinds, requesterOf } from './reply-frame.js';

describe('a reply', () => {
  it.each(replyKinds)('is read as it was written: %s', (kind) => {
    const reply = { kind, correlationId: 'é', sequence: 300, codecId: 16 };
    expect(decodeReply(encodeReply({ ...reply, body: 'ä' }))).toEqual({ ...reply, body: Buffer.from('ä') });
    const body = Buffer.from([0, 255]);
    expect(decodeReply(encodeReply({ ...reply, body }))).toEqual({ ...reply, body });
  });

  it('has bytes that must not change', () => {
    const bytes = (kind: (typeof replyKinds)[number]) => [
      ...encodeReply({ kind, correlationId: 'c', sequence: 3, codecId: 2, body: 'x' }),
    ];
    expect(replyKinds.map(bytes)).toEqual([0, 1, 2, 3].map((kind) => [1, kind, 2, 3, 1, 99, 120]));
  });

  it('of another version or kind is refused', () => {
    expect(() => decodeReply(Buffer.from([2, 0, 1, 0, 0]))).toThrow(
      new CodecError('reply has format version 2; this Millrace reads 1. Upgrade it.'),
    );
    expect(() => decodeReply(Buffer.from([1, 4, 1, 0, 0]))).toThrow(
      new CodecError('a reply is of an unknown kind. Upgrade Millrace.'),
    );
  });

  it('goes to an address that is no queue', () => {
    expect(replyAddress('me')).toBe('reply:me');
    const requester = randomUUID();
    const correlationId = `${requester}.1`;
    const of = (replyTo: string | undefined) => ({ replyTo, correlationId });
    const address = replyAddress(requester);
    expect([address, 'reply-queue', `x-${address}`].map((to) => requesterOf(of(to)))).toEqual([
      requester,
      undefined,
      undefined,
    ]);
    expect([address, 'queue', undefined].map((to) => isRequest({ properties: of(to) }))).toEqual([true, false, false]);
  });
});
