import { describe, expect, it } from '@jest/globals';
import { maxKeptResultBytes, readKeptResult, resultToKeep } from './completion.js';

const read = (value: unknown) => readKeptResult(resultToKeep(value));

describe('the result that is kept with a completed message', () => {
  it.each([[0], [''], [null], ['forty-two'], ['!'], [{ a: [1] }], [undefined]])('is what it was: %p', (value) => {
    expect(read(value)).toEqual({ result: value, omittedResultBytes: undefined });
  });

  it('is limited in bytes, and holds the size of a larger one', () => {
    const largest = 'x'.repeat(maxKeptResultBytes - 2);
    expect(read(largest).result).toBe(largest);
    expect(read(`${largest}x`)).toEqual({ result: undefined, omittedResultBytes: maxKeptResultBytes + 1 });
    // Three bytes each, which `length` does not show.
    const euros = '€'.repeat(maxKeptResultBytes / 2);
    expect(read(euros)).toEqual({ result: undefined, omittedResultBytes: (maxKeptResultBytes / 2) * 3 + 2 });
    const fewEuros = '€'.repeat(Math.floor((maxKeptResultBytes - 2) / 3));
    expect(read(fewEuros).result).toBe(fewEuros);
  });

  it('is refused where JSON cannot hold it, and none where what was kept is damaged', () => {
    expect(() => resultToKeep(1n)).toThrow(TypeError);
    expect(readKeptResult('{"a":')).toEqual({ result: undefined, omittedResultBytes: undefined });
  });
});
