import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessagePacker } from './message-packer.js';
import { unpackList } from './message-unpacker.js';

describe('unpackList', () => {
  it('reads what the packer writes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 40 }), (strings) => {
        const packer = new MessagePacker(5 + strings.reduce((sum, { length }) => sum + length + 5, 0), strings.length);
        for (const string of strings) packer.bytes(string);
        expect(unpackList(packer.finish()).map((bytes) => [...bytes])).toEqual(strings.map((bytes) => [...bytes]));
      }),
    );
  });

  it("reads Lua's short forms, and its empty list", () => {
    expect(unpackList(Buffer.from([0x92, 0xa1, 0x61, 0xa0])).map(String)).toEqual(['a', '']);
    expect(unpackList(Buffer.from([0xdc, 0, 1, 0xa2, 0x61, 0x62])).map(String)).toEqual(['ab']);
    for (const empty of [0x90, 0x80]) expect(unpackList(Buffer.from([empty]))).toEqual([]);
    const long = Buffer.alloc(70_000, 0x7a);
    const packed = Buffer.concat([Buffer.from([0x91, 0xdb, 0, 1, 0x11, 0x70]), long]);
    expect(unpackList(packed)[0]?.length).toBe(70_000);
  });
});
