import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessagePacker } from './message-packer.js';
import { MessageUnpacker } from './message-unpacker.js';

function unpackList(packed: Buffer): Buffer[] {
  return nextList(new MessageUnpacker(packed));
}

function nextList(unpacker: MessageUnpacker): Buffer[] {
  return Array.from({ length: unpacker.list() }, () => unpacker.next());
}

describe('a list of strings in MessagePack', () => {
  it('reads what the packer writes', () => {
    const string = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ maxLength: 400 }).map((latin1) => ({ latin1 })),
    );
    fc.assert(
      fc.property(fc.array(string, { maxLength: 40 }), (strings) => {
        const packer = new MessagePacker(5 + 40 * 1205, strings.length);
        for (const each of strings) {
          if (typeof each === 'string') packer.text(each);
          else if ('latin1' in each) packer.latin1(each.latin1);
          else packer.bytes(each);
        }
        const expected = strings.map((each) =>
          Buffer.from(typeof each === 'object' && 'latin1' in each ? each.latin1 : each),
        );
        expect(unpackList(packer.finish())).toEqual(expected);
      }),
    );
  });

  it('reads strings of every length of head', () => {
    const lengths = [0, 1, 255, 256, 65_535, 65_536, 70_000];
    const packer = new MessagePacker(5 + lengths.reduce((sum, length) => sum + length + 5, 0), lengths.length);
    for (const [index, length] of lengths.entries()) {
      if (index % 2 === 0) packer.latin1('x'.repeat(length));
      else packer.bytes(Buffer.alloc(length, 'x'));
    }
    expect(unpackList(packer.finish()).map(({ length }) => length)).toEqual(lengths);
  });

  it('reads one list after the other', () => {
    const unpacker = new MessageUnpacker(Buffer.from([0x92, 0xa1, 0x61, 0xa0, 0xdc, 0, 1, 0xa1, 0x62, 0x80]));
    const lists = [nextList(unpacker), nextList(unpacker), nextList(unpacker)];
    expect(lists.map((list) => list.map(String))).toEqual([['a', ''], ['b'], []]);
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
