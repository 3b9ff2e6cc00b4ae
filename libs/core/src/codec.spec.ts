import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonCodec } from './codec.js';

describe('the JSON codec, for several texts at once', () => {
  it('answers what each text means by itself', () => {
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
