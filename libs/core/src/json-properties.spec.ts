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

  it('are bounded, and leave out what is skipped', () => {
    const object = { long: 'x'.repeat(100), short: 'y', stack: 'z' };
    expect(jsonProperties(object, { maxCharacters: 50, skip: ['stack'] })).toEqual({ short: 'y' });
  });

  it('of what cannot be looked into are none', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(jsonProperties(proxy, { maxCharacters: 50 })).toEqual({});
  });

  it('are at most so many characters, of names and values', () => {
    const object = { ab: 1, cd: 22 };
    expect(jsonProperties(object, { maxCharacters: 7 })).toEqual({ ab: 1, cd: 22 });
    expect(jsonProperties(object, { maxCharacters: 6 })).toEqual({ ab: 1 });
    expect(jsonProperties(object, { maxCharacters: 3 })).toEqual({ ab: 1 });
    expect(jsonProperties(object, { maxCharacters: 2 })).toEqual({});
  });
});
