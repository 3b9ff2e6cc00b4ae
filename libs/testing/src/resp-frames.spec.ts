import { describe, expect, it } from '@jest/globals';
import { isPush, RespFrames } from './resp-frames.js';

const values = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':12\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '_\r\n',
  '#t\r\n',
  ',1.5\r\n',
  '(12345678901234567890\r\n',
  '$7\r\na\r\nb\r\nc\r\n',
  '=7\r\ntxt:abc\r\n',
  '*0\r\n',
  '*2\r\n*1\r\n$1\r\na\r\n*2\r\n:1\r\n$0\r\n\r\n',
  '%1\r\n$1\r\nk\r\n*1\r\n:1\r\n',
  '~2\r\n:1\r\n:2\r\n',
  '|1\r\n$3\r\nttl\r\n:9\r\n$1\r\nv\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n',
  'PING\r\n',
];

describe('RespFrames', () => {
  it.each(['in one piece', 'a byte at a time'])('finds every value when the bytes come %s', (how) => {
    const stream = Buffer.from(values.join(''));
    const size = how === 'in one piece' ? stream.length : 1;
    const frames = new RespFrames();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...frames.push(stream.subarray(at, at + size)));
    expect(found.map(String)).toEqual(values);
    expect(found.filter(isPush)).toHaveLength(1);
  });
});
