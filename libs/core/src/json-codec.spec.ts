import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonCodec } from './json-codec.js';

describe('the JSON codec, for several strings in one call', () => {
  it('returns the value of each string', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }), (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        const together = jsonCodec.decodeTexts?.(texts);
        if (together !== undefined) expect(together).toEqual(texts.map((text) => JSON.parse(text)));
      }),
    );
    expect(jsonCodec.decodeTexts?.(['{"a":1}', '{"a":{"b":[{}]},"c":2}'])).toEqual([
      { a: 1 },
      { a: { b: [{}] }, c: 2 },
    ]);
  });

  it('refuses what only has a meaning together', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '"a":', '1', ' ', '},{', '{"a":1}', '},"');
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => `{${pieces.join('')}}`);
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), (texts) => {
        const together = jsonCodec.decodeTexts?.(texts);
        if (together !== undefined) expect(together).toEqual(texts.map((each) => JSON.parse(each)));
      }),
      { numRuns: 5000 },
    );
    // As many objects as texts, though none is in the text where it should be.
    expect(jsonCodec.decodeTexts?.(['{"a":1},{"b":2}', '{"c":[{}', '{}]}'])).toBeUndefined();
    expect(jsonCodec.decodeTexts?.(['{"a":1},"}', '{",{"c":1}', '{"d":[{}', '{}]}'])).toBeUndefined();
    expect(jsonCodec.decodeTexts?.(['{"a":1}', '{"b":'])).toBeUndefined();
  });
});

describe('the JSON codec, for several values in one call', () => {
  const alone = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value));
  const together = (values: readonly unknown[]) => jsonCodec.encodeTexts?.(values);

  it('makes of each what it makes of it alone', () => {
    expect(together([{ a: 1 }, {}, { b: { c: [1, '},'] } }, {}])).toEqual([
      '{"a":1}',
      '{}',
      '{"b":{"c":[1,"},"]}}',
      '{}',
    ]);
    const text = fc.oneof(fc.string(), fc.constantFrom('},{', '}', ',{', '},'));
    const value = fc.dictionary(
      text,
      fc.oneof(text, fc.jsonValue(), fc.array(fc.record({ a: text }), { maxLength: 3 })),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 4, maxLength: 10 }), (values) => {
        const texts = together(values);
        if (texts !== undefined) expect(texts).toEqual(alone(values));
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves to each alone what is no object in JSON, or comes apart elsewhere', () => {
    const orders = { lines: [{ sku: 'a' }, { sku: 'b' }] };
    const others = [
      orders,
      1,
      'a',
      null,
      undefined,
      [{}],
      new Date(0),
      Object(1),
      Object('},{'),
      () => 1,
      Object.create(null),
    ];
    for (const other of others) {
      expect(together([{ a: 1 }, {}, {}, other])).toBeUndefined();
      expect(together([other, { a: 1 }, {}, {}])).toBeUndefined();
    }
    // One boundary less, and one more within.
    expect(together([[], {}, {}, { a: '},{' }])).toBeUndefined();
  });

  it('leaves it to each alone to say what is wrong', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(together([{ a: 1 }, {}, {}, circular])).toBeUndefined();
    expect(together([{}, {}, {}, { a: 1n }])).toBeUndefined();
  });
});

describe('a codec that is made of the JSON codec', () => {
  it('has no faster way past its own encode and decode', () => {
    const own = { ...jsonCodec, id: 16, name: 'own', decode: () => 'own' };
    expect(Object.keys(own).sort()).toEqual(['decode', 'encode', 'id', 'name']);
    expect(own).not.toHaveProperty('decodeText');
    expect(jsonCodec).toHaveProperty('decodeText');
  });
});
