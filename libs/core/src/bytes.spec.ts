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

  it('count from where they are: what is passed over, what is left, what is taken back', () => {
    const writer = new ByteWriter(2);
    writer
      .byte(7)
      .text('é', 2)
      .latin1('é')
      .raw(Buffer.from([9, 9]))
      .varint(127)
      .varint(128);
    expect(writer.length).toBe(9);
    writer.truncate(20);
    expect(writer.length).toBe(9);
    writer.truncate(8);
    const bytes = writer.finish();
    expect([...bytes]).toEqual([7, 0xc3, 0xa9, 0xe9, 9, 9, 127, 0x80]);
    const reader = new ByteReader(bytes, 1);
    expect([reader.position, reader.remaining]).toEqual([1, 7]);
    reader.skip(2);
    expect([reader.position, reader.byte()]).toEqual([3, 0xe9]);
    expect([...reader.raw(2)]).toEqual([9, 9]);
    expect([...reader.rest()]).toEqual([127, 0x80]);
    expect(() => reader.byte()).toThrow(new CodecError('frame is cut short at byte 8'));
    expect(() => reader.skip(1)).toThrow(new CodecError('frame is cut short at byte 8'));
  });

  it('write numbers in as many bytes as they need, which must not change', () => {
    const bytesOf = (write: (writer: ByteWriter) => unknown) => {
      const writer = new ByteWriter();
      write(writer);
      return [...writer.finish()];
    };
    expect(bytesOf((writer) => writer.varint(0x7f))).toEqual([0x7f]);
    expect(bytesOf((writer) => writer.varint(0x80))).toEqual([0x80, 1]);
    expect([0, -1, 1, -64, 64].map((n) => bytesOf((writer) => writer.signedVarint(n)))).toEqual([
      [0],
      [1],
      [2],
      [0x7f],
      [0x80, 1],
    ]);
    expect(bytesOf((writer) => writer.block('é'))).toEqual([2, 0xc3, 0xa9]);
    expect(new ByteWriter().block('é')).toBe(2);
    expect(new ByteWriter().block(Buffer.alloc(3))).toBe(3);
  });

  it('read numbers up to 2^53 - 1 and refuse larger ones', () => {
    const safe = new ByteWriter().varint(Number.MAX_SAFE_INTEGER).finish();
    expect(new ByteReader(safe).varint()).toBe(Number.MAX_SAFE_INTEGER);
    const larger = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(() => new ByteReader(larger).varint()).toThrow(new CodecError('frame holds a number past 2^53 at byte 8'));
    const endless = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]);
    expect(() => new ByteReader(endless).varint()).toThrow(new CodecError('frame holds a number past 2^53 at byte 8'));
  });
});
