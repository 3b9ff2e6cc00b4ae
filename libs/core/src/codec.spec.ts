import { describe, expect, it } from '@jest/globals';
import { type Codec, rawCodec } from './codec.js';
import { jsonCodec } from './json-codec.js';
import { msgpackCodec } from './msgpack-codec.js';

const bytes = Buffer.from('abc');

describe('the codecs of Millrace', () => {
  it('have ids that stand in every frame', () => {
    expect([rawCodec, jsonCodec, msgpackCodec].map(({ id, name }) => [id, name])).toEqual([
      [0, 'raw'],
      [1, 'json'],
      [2, 'msgpack'],
    ]);
  });

  it('give back what they were given', () => {
    const value = { a: [1, 'é', null, true], at: new Date(5) };
    const through = (codec: Codec, given: unknown) => codec.decode(Buffer.from(codec.encode(given)));
    expect(through(msgpackCodec, value)).toEqual(value);
    expect(through(msgpackCodec, { nothing: undefined })).toEqual({ nothing: null });
    expect(through(jsonCodec, value)).toEqual({ ...value, at: '1970-01-01T00:00:00.005Z' });
    expect(through(rawCodec as Codec, bytes)).toEqual(bytes);
  });

  it('copy what they are only lent', () => {
    const lent = Buffer.from('abc');
    const kept = rawCodec.decode(lent) as Buffer;
    const packed = Buffer.from(msgpackCodec.encode(lent));
    const unpacked = msgpackCodec.decode(packed) as Buffer;
    lent.fill(0);
    packed.fill(0);
    expect([kept, unpacked].map(String)).toEqual(['abc', 'abc']);
  });

  it('write plain MessagePack: a map is a map, as small as its entries', () => {
    expect([...Buffer.from(msgpackCodec.encode({ a: 1 }))]).toEqual([0x81, 0xa1, 0x61, 1]);
    expect([...Buffer.from(msgpackCodec.encode([{ a: 1 }, { a: 1 }]))]).toEqual([
      0x92, 0x81, 0xa1, 0x61, 1, 0x81, 0xa1, 0x61, 1,
    ]);
  });

  it.each([
    ['undefined', undefined],
    ['function', () => 0],
    ['symbol', Symbol('x')],
  ])('refuse what they have nothing for: %s', (type, value) => {
    expect(() => msgpackCodec.encode(value)).toThrow(new TypeError(`MessagePack has no ${type}`));
    expect(() => jsonCodec.encode(value)).toThrow(new TypeError(`JSON has no ${type}`));
    expect(() => rawCodec.encode(value as never)).toThrow(new TypeError('the raw codec takes a Buffer or Uint8Array'));
  });

  it('decode JSON from a part of the bytes, and from text', () => {
    expect(jsonCodec.decodePart?.(Buffer.from('x{"é":1}x'), 1, 9)).toEqual({ é: 1 });
    expect(jsonCodec.decodeText?.('[1]')).toEqual([1]);
  });
});
