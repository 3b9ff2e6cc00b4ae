import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import { decodeReply, encodeReply, replyKinds } from './reply-frame.js';

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
      new CodecError('a reply has an unknown kind. Upgrade Millrace.'),
    );
  });
});
