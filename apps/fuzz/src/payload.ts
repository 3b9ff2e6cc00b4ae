import { deflateRawSync } from 'node:zlib';
import type { Draw } from './draw.js';

/** What a key, or one of its fields, holds where everything is well. */
export type Content = 'number' | 'json' | 'bytes' | 'text' | 'batch';

const numbers = [
  ...['', 'abc', '-1', '0', '1', '1.5', '007', '1e308', '-inf', 'inf', 'nan', '0x10', ' 7'],
  ...[
    '4096',
    '3000000',
    '2147483648',
    '9007199254740991',
    '9007199254740993',
    '9223372036854775807',
    '99999999999999999999',
  ],
];
const names = [
  '',
  'q',
  's',
  't',
  'g',
  'q.dead-letters',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  'a b',
  'a\u0000b',
  '~~',
  ':',
  '0-1',
];
const fields = [
  ...[
    'name',
    'priorities',
    'shards',
    'maxLength',
    'deadLetter',
    'keepCompleted',
    'rate',
    'type',
    'source',
    'kind',
    'destination',
  ],
  ...[
    'routingKey',
    'arguments',
    'id',
    'version',
    'partitions',
    'retention',
    'codec',
    'compression',
    'topics',
    'members',
  ],
  ...['assignment', 'flags', 'connections', 'server', 'done', 'dead', 'reason', 'error', 'to', 'value', '__proto__'],
];
/** What declarations count by. */
const counted = ['priorities', 'shards', 'partitions', 'maxLength', 'messageTtlMs', 'deliveryLimit', 'id', 'version'];
/** 64 MiB when it is decompressed. */
const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });

/** Anything that another program may have written there, next to what is there now. `name`: of what is declared there. */
export function payload(draw: Draw, content: Content, present: Buffer | undefined, name = 'q'): Buffer {
  if (present !== undefined && present.length > 0 && draw.happens(0.4)) return changed(draw, present);
  if (draw.happens(0.1)) return draw.bytes(draw.below(200));
  switch (content) {
    case 'number':
      return Buffer.from(draw.one(numbers));
    case 'json':
      return Buffer.from(json(draw, name));
    case 'text':
      return Buffer.from(draw.one([...names, ...numbers]));
    case 'batch':
      return draw.happens(0.2) ? Buffer.concat([Buffer.from([1, 1, 1, 1, 0]), bomb]) : batch(draw);
    case 'bytes':
      return draw.bytes(draw.below(60));
    default:
      return content satisfies never;
  }
}

/** A score of a sorted set. */
export function score(draw: Draw): string {
  return draw.one([
    '0',
    '1',
    '-1',
    '1.5',
    '-inf',
    '+inf',
    '9007199254740993',
    '1e300',
    String(Date.now()),
    String(Date.now() + 500),
  ]);
}

function changed(draw: Draw, present: Buffer): Buffer {
  const copy = Buffer.from(present);
  if (draw.happens(0.3)) return copy.subarray(0, draw.below(copy.length));
  if (draw.happens(0.2)) return Buffer.concat([copy, draw.bytes(draw.below(20))]);
  for (let change = draw.below(4); change >= 0; change--) copy[draw.below(copy.length)] = draw.below(256);
  return copy;
}

function json(draw: Draw, name: string): string {
  if (draw.happens(0.5)) return declaration(draw, name);
  if (draw.happens(0.15))
    return draw.one(['null', '{', '[]', '7', '"text"', '{"__proto__":{"polluted":1}}', '[1,[2,[3]]]']);
  if (draw.happens(0.05)) return '['.repeat(20_000) + ']'.repeat(20_000);
  if (draw.happens(0.05)) return `{"name":"${'y'.repeat(200_000)}"}`;
  const parts = Array.from({ length: draw.below(6) }, () => `"${draw.one(fields)}":${value(draw, 2)}`);
  return `{${[`"name":"${draw.one(['q', 's', 't'])}"`, ...parts].join()}}`;
}

/** A declaration of that name, with some numbers in it that are none. */
function declaration(draw: Draw, name: string): string {
  const wrong = () =>
    `"${draw.one(counted)}":${draw.one(['3000000', '2000000000', '1e308', '-1', '0.5', 'null', '"7"'])}`;
  const all = Array.from({ length: 1 + draw.below(4) }, wrong);
  return `{"name":"${name}","type":"topic","id":1,"version":1,"partitions":2,${all.join()}}`;
}

function value(draw: Draw, depth: number): string {
  const plain = ['null', 'true', '3000000', '-1', '1e308', '0.5', '""', '"q"', '"(a+)+$"', '[]', '{}'];
  if (depth === 0 || draw.happens(0.6)) return draw.one(plain);
  const inner = () => value(draw, depth - 1);
  return draw.happens(0.5) ? `[${inner()},${inner()}]` : `{"${draw.one(fields)}":${inner()}}`;
}

/** A head that claims anything, and some bytes. */
function batch(draw: Draw): Buffer {
  const head = [draw.one([1, 1, 1, 5]), draw.below(4), draw.one([0, 1, 2, 16]), draw.one([0, 1, 2, 127])];
  return Buffer.concat([Buffer.from(head), draw.bytes(draw.below(60))]);
}
