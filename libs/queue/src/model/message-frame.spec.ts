import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import fc from 'fast-check';
import {
  decodeFrame,
  encodeFrame,
  type FrameInput,
  frameTimestamp,
  isOfNewerVersion,
  maxHeadBytes,
  noProperties,
  plainHead,
} from './message-frame.js';

const plain: FrameInput = {
  priority: 0,
  codecId: 1,
  timestamp: 1_700_000_000_000,
  exchange: '',
  routingKey: 'q',
  headers: {},
  properties: noProperties,
  body: '{"a":1}',
};

describe('a message frame', () => {
  it('of a message sent straight to its queue is ten bytes and the body', () => {
    expect(encodeFrame(plain, 'q').toString('hex')).toBe(
      `02000100${'80d095ffbc31'}${Buffer.from('{"a":1}').toString('hex')}`,
    );
  });

  it('gives back what was put in', () => {
    const text = fc.string({ unit: 'binary' });
    const message = fc.record({
      priority: fc.nat(255),
      codecId: fc.nat(255),
      timestamp: fc.nat(Number.MAX_SAFE_INTEGER),
      exchange: text,
      routingKey: text,
      headers: fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.constant(null), fc.double({ noNaN: true }))),
      properties: fc.record(
        {
          correlationId: text,
          replyTo: text,
          type: text,
          expirationMs: fc.nat(),
          retry: fc.record({ maxRetries: fc.nat() }),
        },
        { requiredKeys: [] },
      ),
      body: fc.uint8Array(),
    });
    fc.assert(
      fc.property(message, text, (input, queue) => {
        const { body, headers, ...rest } = decodeFrame(encodeFrame(input, queue), queue);
        const { body: bodyIn, headers: headersIn, ...restIn } = input;
        expect(rest).toEqual({ ...restIn, deaths: [] });
        expect(Object.entries(headers)).toEqual(Object.entries(headersIn));
        expect(body.equals(Buffer.from(bodyIn))).toBe(true);
      }),
    );
  });

  it('has its retries among its headers, where an older process ignores them', () => {
    const retry = { maxRetries: 5, backoff: { kind: 'exponential', delayMs: 500 } } as const;
    const headers = { a: 'b' };
    expect(encodeFrame({ ...plain, headers, properties: { retry } }, 'q')).toEqual(
      encodeFrame({ ...plain, headers: { ...headers, 'millrace-retry': JSON.stringify(retry) } }, 'q'),
    );
    // What cannot be read is left where it is.
    const broken = { 'millrace-retry': '{"maxRetries":-1}' };
    expect(decodeFrame(encodeFrame({ ...plain, headers: broken }, 'q'), 'q')).toMatchObject({
      headers: broken,
      properties: {},
    });
  });

  it('keeps a history of deaths', () => {
    const death = { queue: 'q', reason: 'rejected', count: 2, exchange: 'e', routingKeys: ['k'], time: 5 } as const;
    expect(decodeFrame(encodeFrame({ ...plain, deaths: [death] }), 'other').deaths).toEqual([death]);
  });

  it('of another version, or cut short, is a CodecError', () => {
    const frame = encodeFrame({ ...plain, exchange: 'e', headers: { a: 'b' } });
    expect(() => decodeFrame(Buffer.concat([Buffer.from([3]), frame.subarray(1)]), 'q')).toThrow(/format version 3/);
    for (let length = 0; length < frame.length - 7; length++) {
      expect(() => decodeFrame(frame.subarray(0, length), 'q')).toThrow(CodecError);
    }
  });

  const partOf = (input: Partial<FrameInput>) => [...encodeFrame({ ...plain, timestamp: 5, body: '', ...input }, 'q')];

  it('has parts whose bytes must not change, and none for what says nothing', () => {
    expect(partOf({})).toEqual([2, 0, 1, 0, 5]);
    expect(partOf({ deaths: [], properties: {} })).toEqual([2, 0, 1, 0, 5]);
    expect(partOf({ priority: 3, codecId: 7 })).toEqual([2, 3, 7, 0, 5]);
    expect(partOf({ exchange: 'e' })).toEqual([2, 0, 1, 1, 5, 1, 101, 1, 113]);
    expect(partOf({ routingKey: 'k' })).toEqual([2, 0, 1, 1, 5, 0, 1, 107]);
    expect(partOf({ headers: { a: true } })).toEqual([2, 0, 1, 2, 5, 1, 1, 97, 2]);
    const properties = { correlationId: 'c', replyTo: 'r', type: 't', expirationMs: 9, shardKey: 's' };
    expect(partOf({ properties })).toEqual([2, 0, 1, 4, 5, 31, 1, 99, 1, 114, 1, 116, 9, 1, 115]);
    expect(partOf({ properties: { shardKey: 's' } })).toEqual([2, 0, 1, 4, 5, 16, 1, 115]);
    expect(partOf({ id: 'é', exchange: 'e' })).toEqual([2, 0, 1, 17, 2, 0xc3, 0xa9, 5, 1, 101, 1, 113]);
    expect(partOf({ body: 'é' })).toEqual([2, 0, 1, 0, 5, 0xc3, 0xa9]);
    expect(partOf({ body: Buffer.from('é') })).toEqual([2, 0, 1, 0, 5, 0xc3, 0xa9]);
  });

  it('gives back each property, and those alone that were given', () => {
    const properties = { correlationId: 'c', replyTo: 'r', type: 't', expirationMs: 9, shardKey: 's' };
    const read = (given: FrameInput['properties']) =>
      decodeFrame(encodeFrame({ ...plain, properties: given }, 'q'), 'q').properties;
    expect(read(properties)).toStrictEqual(properties);
    for (const [name, value] of Object.entries(properties))
      expect(read({ [name]: value })).toStrictEqual({ [name]: value });
    expect(read({})).toBe(noProperties);
  });

  it('without a route stood in its queue', () => {
    expect(decodeFrame(encodeFrame(plain, 'q'), 'q')).toMatchObject({ exchange: '', routingKey: 'q' });
    expect(decodeFrame(encodeFrame({ ...plain, routingKey: 'k' }, 'q'), 'q')).toMatchObject({
      exchange: '',
      routingKey: 'k',
    });
  });

  it('begins as plainHead says, where it has nothing but a body', () => {
    for (const timestamp of [0, 0x7f, 0x80, 1_700_000_000_000]) {
      const frame = encodeFrame({ ...plain, priority: 3, codecId: 9, timestamp, body: '' }, 'q');
      expect(Buffer.from(plainHead(3, 9, timestamp), 'latin1')).toEqual(frame);
      expect(frameTimestamp(frame)).toBe(timestamp);
      const longest = encodeFrame({ ...plain, id: 'x'.repeat(255), timestamp, body: 'body' }, 'q');
      expect(frameTimestamp(longest.subarray(0, maxHeadBytes))).toBe(timestamp);
      expect(decodeFrame(longest, 'q')).toMatchObject({ id: 'x'.repeat(255), timestamp });
    }
  });

  it('of another version has no time, and may be of a newer one or damaged', () => {
    expect(() => frameTimestamp(Buffer.from([3, 0, 1, 0, 5]))).toThrow(
      new CodecError('a message has an unknown format version. Upgrade Millrace.'),
    );
    expect([[], [0], [2], [3], [5], [6]].map((frame) => isOfNewerVersion(Buffer.from(frame)))).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it('whose history is none is refused', () => {
    const frame = Buffer.from([2, 0, 1, 8, 5, 2, ...Buffer.from('{}')]);
    expect(() => decodeFrame(frame, 'q')).toThrow(new CodecError('the death history of a message cannot be read'));
  });

  it('is whole, however much more its characters take than one byte', () => {
    const body = 'é'.repeat(1000);
    expect(decodeFrame(encodeFrame({ ...plain, body }, 'q'), 'q').body.toString()).toBe(body);
  });
});
