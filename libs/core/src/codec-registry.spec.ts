import { describe, expect, it } from '@jest/globals';
import type { Codec } from './codec.js';
import { CodecRegistry } from './codec-registry.js';
import { CodecError } from './errors.js';
import { guardedCodec } from './guarded-codec.js';
import { jsonCodec } from './json-codec.js';

const own: Codec = { id: 16, name: 'own', encode: (value) => String(value), decode: (bytes) => bytes.toString() };

describe('codecs by their id', () => {
  it('are found, and what is not there is said', () => {
    const registry = new CodecRegistry([jsonCodec, own, own]);
    expect(registry.get(1)).toBe(jsonCodec);
    expect(registry.get(16)).toBe(guardedCodec(own));
    expect([registry.has(1), registry.has(2)]).toEqual([true, false]);
    expect(() => registry.get(17)).toThrow(
      new CodecError('no codec has id 17: add the codec that wrote it to the options'),
    );
    expect(() => registry.get(2)).toThrow('no codec has id 2 (msgpack). For msgpack install the package msgpackr');
  });

  it('of which two have one id are refused', () => {
    expect(() => new CodecRegistry([own, { ...own, name: 'other' }])).toThrow(
      new CodecError('codecs "own" and "other" both have id 16: change one of them'),
    );
  });
});
