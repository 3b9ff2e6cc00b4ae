/**
 * Takes apart what `cmsgpack.pack` made of a list of strings: one reply element instead of thousands, of which the client's
 * parser would make each by itself. The strings are views of the reply.
 */
export function unpackList(packed: Buffer): Buffer[] {
  const head = packed[0] ?? 0x90;
  let count: number;
  let at: number;
  if (head === 0xdc) [count, at] = [packed.readUInt16BE(1), 3];
  else if (head === 0xdd) [count, at] = [packed.readUInt32BE(1), 5];
  // Nothing in it: Lua does not tell an empty list from an empty map (0x80).
  else [count, at] = [head & 0x0f, 1];
  const strings: Buffer[] = new Array(count);
  for (let index = 0; index < count; index++) {
    const kind = packed[at] ?? 0;
    let length: number;
    if (kind === 0xd9) {
      length = packed[at + 1] ?? 0;
      at += 2;
    } else if (kind === 0xda) {
      length = packed.readUInt16BE(at + 1);
      at += 3;
    } else if (kind === 0xdb) {
      length = packed.readUInt32BE(at + 1);
      at += 5;
    } else {
      length = kind & 0x1f;
      at += 1;
    }
    strings[index] = packed.subarray(at, at + length);
    at += length;
  }
  return strings;
}
