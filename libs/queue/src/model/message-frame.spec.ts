import { describe, expect, it } from '@jest/globals';
import { CodecError } from '@millrace/core';
import fc from 'fast-check';
import { decodeFrame, encodeFrame, type FrameInput, noProperties } from './message-frame.js';

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
      `01000100${'80d095ffbc31'}${Buffer.from('{"a":1}').toString('hex')}`,
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

  it('has how often it is retried among its headers, where an older process passes it over', () => {
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
    expect(() => decodeFrame(Buffer.concat([Buffer.from([2]), frame.subarray(1)]), 'q')).toThrow(/format version 2/);
    for (let length = 0; length < frame.length - 7; length++) {
      expect(() => decodeFrame(frame.subarray(0, length), 'q')).toThrow(CodecError);
    }
  });
});
