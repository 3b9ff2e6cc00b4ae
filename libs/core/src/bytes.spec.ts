import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { CodecError } from './errors.js';

describe('ByteWriter and ByteReader', () => {
  it('give back every number, text and block that was written', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.maxSafeInteger(),
        fc.string({ unit: 'binary' }),
        fc.uint8Array(),
        (nat, int, text, bytes) => {
          const half = Math.trunc(int / 2);
          const writer = new ByteWriter(1);
          writer.varint(nat).signedVarint(half).float64(0.1);
          writer.block(text);
          writer.block(bytes);
          const reader = new ByteReader(writer.finish());
          expect([reader.varint(), reader.signedVarint(), reader.float64()]).toEqual([nat, half === 0 ? 0 : half, 0.1]);
          expect(Buffer.from(reader.text())).toEqual(Buffer.from(text));
          expect(Uint8Array.from(reader.block())).toEqual(bytes);
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  it('refuse bytes that are cut short or name a length past the end', () => {
    expect(() => new ByteReader(Buffer.from([0x80])).varint()).toThrow(CodecError);
    expect(() => new ByteReader(Buffer.from([5, 1, 2])).block()).toThrow('frame is cut short at byte 1');
    expect(() => new ByteReader(Buffer.alloc(9, 0xff)).varint()).toThrow(CodecError);
  });
});
