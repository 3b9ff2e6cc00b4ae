import { ByteReader, ByteWriter, CodecError } from '@millrace/core';

/** What a responder sends back: one result or error, or any number of items and an end. */
export interface Reply {
  readonly kind: ReplyKind;
  readonly correlationId: string;
  /** Of an item: its index, from 0. Of an end: the number of items. */
  readonly sequence: number;
  readonly codecId: number;
  readonly body: Buffer;
}

export const replyKinds = ['result', 'error', 'item', 'end'] as const;
export type ReplyKind = (typeof replyKinds)[number];

const frameVersion = 1;

/** version, kind, codec, sequence, correlation id, body (the rest). */
export function encodeReply(reply: Omit<Reply, 'body'> & { readonly body: Uint8Array | string }): Buffer {
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  const writer = new ByteWriter(body.length + 64);
  writer.byte(frameVersion).byte(replyKinds.indexOf(reply.kind)).byte(reply.codecId).varint(reply.sequence);
  writer.block(reply.correlationId);
  return writer.raw(body).finish();
}

/** @throws {CodecError} on bytes that `encodeReply` did not write */
export function decodeReply(frame: Buffer): Reply {
  const reader = new ByteReader(frame);
  const version = reader.byte();
  if (version !== frameVersion) {
    throw new CodecError(`reply has format version ${version}; this Millrace reads ${frameVersion}. Upgrade it.`);
  }
  const kind = replyKinds[reader.byte()];
  if (kind === undefined) throw new CodecError('a reply has an unknown kind. Upgrade Millrace.');
  const codecId = reader.byte();
  const sequence = reader.varint();
  const correlationId = reader.text();
  return { kind, codecId, sequence, correlationId, body: reader.rest() };
}
