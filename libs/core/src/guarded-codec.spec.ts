import { describe, expect, it } from '@jest/globals';
import { type Codec, rawCodec } from './codec.js';
import { CodecError } from './errors.js';
import { codecProblem, guardedCodec } from './guarded-codec.js';
import { jsonCodec } from './json-codec.js';
import { msgpackCodec } from './msgpack-codec.js';

const own: Codec = { id: 16, name: 'own', encode: (value) => String(value), decode: (bytes) => bytes.toString() };
const given = (codec: Partial<Record<keyof Codec, unknown>>): Codec => ({ ...own, ...codec }) as Codec;
const bytes = Buffer.from('abc');

describe('a codec', () => {
  const shape = /^a codec must be { id: 16–255, name, encode, decode }, got /;
  const ids = /^codec "own" has the id \d+: 0 to 15 are Millrace's own, choose 16 to 255$/;
  it.each<[problem: RegExp | undefined, codec: unknown]>([
    [undefined, own],
    [undefined, given({ id: 255 })],
    [undefined, jsonCodec],
    [ids, given({ id: 0 })],
    [ids, given({ id: 3 })],
    [ids, given({ id: 15 })],
    [/^codec "json" \(id 20\) has the name of Millrace's own codec: choose another$/, given({ id: 20, name: 'json' })],
    [/^the codec with id 16 has no name/, given({ name: '' })],
    [shape, given({ id: 256 })],
    [shape, given({ id: -1 })],
    [shape, given({ id: 1.5 })],
    [shape, given({ id: '16' })],
    [shape, given({ name: undefined })],
    [shape, given({ encode: undefined })],
    [shape, given({ decode: 'x' })],
    [shape, null],
    [shape, 'json'],
    [shape, undefined],
  ])('is one, or what is wrong is said: %p, %p', (problem, codec) => {
    if (problem === undefined) expect(codecProblem(codec)).toBeUndefined();
    else expect(codecProblem(codec)).toMatch(problem);
  });

  it('that is none is refused', () => {
    expect(() => guardedCodec('json' as never)).toThrow(
      new CodecError('a codec must be { id: 16–255, name, encode, decode }, got "json".'),
    );
  });

  it('of Millrace is taken as it is, and another always gets the same guard', () => {
    for (const codec of [jsonCodec, msgpackCodec, rawCodec as Codec]) expect(guardedCodec(codec)).toBe(codec);
    const guard = guardedCodec(own);
    expect(guard).not.toBe(own);
    expect(guardedCodec(own)).toBe(guard);
    expect(guardedCodec(guard)).toBe(guard);
  });

  it('works as before behind its guard, and has no faster ways that it had not', () => {
    const guard = guardedCodec(own);
    expect(Object.keys(guard)).toEqual(['id', 'name', 'encode', 'decode']);
    expect([guard.id, guard.name, guard.encode(5), guard.decode(bytes)]).toEqual([16, 'own', '5', 'abc']);
    const raw = guardedCodec(given({ encode: () => bytes }));
    expect(raw.encode(5)).toBe(bytes);
  });

  it('that returns a promise, or anything but bytes, has failed', () => {
    const late = guardedCodec(given({ encode: async () => 'x', decode: async () => 'x' }));
    expect(() => late.encode(1)).toThrow(
      'encode of the codec "own" must return a Uint8Array or a string, got a promise.',
    );
    expect(() => late.decode(bytes)).toThrow('decode of the codec "own" must return a value, got a promise.');
    expect(() => guardedCodec(given({ encode: () => 5 })).encode(1)).toThrow(
      'encode of the codec "own" must return a Uint8Array or a string, got 5.',
    );
  });

  it('keeps its faster ways, whose promises are none either', () => {
    const fast = guardedCodec(
      given({
        decodePart: (all: Buffer, start: number, end: number) => all.toString('latin1', start, end),
        decodeText: (text: string) => text.toUpperCase(),
        decodeTexts: (texts: string[]) => texts.map((text) => text.length),
        encodeTexts: (values: unknown[]) => values.map(String),
      }),
    );
    expect(fast.decodePart?.(bytes, 1, 3)).toBe('bc');
    expect(fast.decodeText?.('a')).toBe('A');
    expect(fast.decodeTexts?.(['a', 'bc'])).toEqual([1, 2]);
    expect(fast.encodeTexts?.([1, true])).toEqual(['1', 'true']);
    const late = guardedCodec(given({ decodePart: async () => 1, decodeText: async () => 1 }));
    expect(() => late.decodePart?.(bytes, 0, 1)).toThrow(
      'decode of the codec "own" must return a value, got a promise.',
    );
    expect(() => late.decodeText?.('a')).toThrow('decode of the codec "own" must return a value, got a promise.');
  });

  it('of Millrace that another copy of it made is replaced by the own one', () => {
    const ofCopy = (id: number) => Object.assign(given({ id }), { [Symbol.for('millrace.codec')]: id });
    expect([1, 2, 0].map((id) => guardedCodec(ofCopy(id)))).toEqual([jsonCodec, msgpackCodec, rawCodec]);
    expect(guardedCodec(ofCopy(17))).not.toBe(own);
  });

  it('that fails at several values together is asked for each of them instead', () => {
    const throws = () => {
      throw new Error('no');
    };
    for (const answer of [throws, () => ['1'], () => ['1', 2], () => '12', async () => ['1', '2'], () => undefined])
      expect(guardedCodec(given({ encodeTexts: answer })).encodeTexts?.([1, 2])).toBeUndefined();
    for (const answer of [throws, () => [1], () => [1, Promise.resolve(2)], () => 12, async () => [1, 2]])
      expect(guardedCodec(given({ decodeTexts: answer })).decodeTexts?.(['1', '2'])).toBeUndefined();
  });

  it('that returns promises among several values does not end the process by their rejection', () => {
    // given things to be waited for that count who waits for their rejection
    let waiting = 0;
    const then = (_: unknown, onRejected: unknown) => typeof onRejected === 'function' && waiting++;
    const late = Object.fromEntries([['then', then]]);
    // when
    guardedCodec(given({ decodeTexts: () => [late, 1, late] })).decodeTexts?.(['1', '2', '3']);
    guardedCodec(given({ decodeTexts: () => late })).decodeTexts?.(['1']);
    // then
    expect(waiting).toBe(3);
  });
});
