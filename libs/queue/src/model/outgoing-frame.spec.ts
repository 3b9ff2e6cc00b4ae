import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, type FrameInput, noProperties } from './message-frame.js';
import { type OutgoingFrame, outgoingFrame } from './outgoing-frame.js';

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

const bytesOf = (frame: OutgoingFrame): Buffer => (typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame);

describe('an outgoing frame', () => {
  it('is a string when the message is only ASCII for its queue', () => {
    expect(typeof outgoingFrame(plain, 'q')).toBe('string');
  });

  it.each<[string, Partial<FrameInput>]>([
    ['through an exchange', { exchange: 'e' }],
    ['with headers', { headers: { a: 'b' } }],
    ['with properties', { properties: { type: 't' } }],
    ['beyond ASCII', { body: '{"a":"é"}' }],
    ['of bytes', { body: Buffer.from('{}') }],
  ])('is bytes when the message is %s', (_, difference) => {
    expect(outgoingFrame({ ...plain, ...difference }, 'q')).toBeInstanceOf(Buffer);
  });

  it('has the same bytes as the frame, whatever the frame before it was', () => {
    const message = fc.record({
      priority: fc.nat(2),
      codecId: fc.nat(2),
      timestamp: fc.oneof(fc.nat(2), fc.nat(Number.MAX_SAFE_INTEGER)),
      exchange: fc.constantFrom('', '', 'e'),
      routingKey: fc.constantFrom('q', 'q', 'other', 'ü'),
      headers: fc.constantFrom({}, {}, { a: 'b' }),
      properties: fc.constantFrom(noProperties, noProperties, { type: 't' }),
      body: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uint8Array()),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        for (const each of messages) {
          const frame = outgoingFrame(each, 'q');
          expect(bytesOf(frame).equals(encodeFrame(each, 'q'))).toBe(true);
          expect(frame).toHaveLength(bytesOf(frame).length);
        }
      }),
    );
  });
});
