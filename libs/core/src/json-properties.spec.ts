import { describe, expect, it } from '@jest/globals';
import { jsonProperties } from './json-properties.js';

const circular: Record<string, unknown> = { name: 'itself' };
circular.self = circular;

describe('the properties of an object that JSON can hold', () => {
  it('are kept one by one: what cannot be read or written does not drop the others', () => {
    const object = {
      status: 'error',
      nested: { deep: [1, null] },
      big: 1n,
      circular,
      nothing: undefined,
      method: () => 1,
      get broken(): unknown {
        throw new Error('no');
      },
    };
    expect(jsonProperties(object, { maxCharacters: 1000 })).toEqual({ status: 'error', nested: { deep: [1, null] } });
  });

  it('are bounded', () => {
    const object = { long: 'x'.repeat(100), short: 'y' };
    expect(jsonProperties(object, { maxCharacters: 50 })).toEqual({ short: 'y' });
  });

  it('have values replaced at any depth, before what they make of themselves', () => {
    const whole = { toJSON: () => 'everything' };
    const replace = (value: unknown): unknown => (value === whole ? { replaced: true } : value);
    const object = { direct: whole, deep: [{ whole }], time: new Date(0) };
    expect(jsonProperties(object, { maxCharacters: 500, replace })).toEqual({
      direct: { replaced: true },
      deep: [{ whole: { replaced: true } }],
      time: '1970-01-01T00:00:00.000Z',
    });
  });

  it('of what cannot be looked into are none', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(jsonProperties(proxy, { maxCharacters: 50 })).toEqual({});
  });

  it('have a limit of characters, of names and values', () => {
    const object = { ab: 1, cd: 22 };
    expect(jsonProperties(object, { maxCharacters: 7 })).toEqual({ ab: 1, cd: 22 });
    expect(jsonProperties(object, { maxCharacters: 6 })).toEqual({ ab: 1 });
    expect(jsonProperties(object, { maxCharacters: 3 })).toEqual({ ab: 1 });
    expect(jsonProperties(object, { maxCharacters: 2 })).toEqual({});
  });
});
