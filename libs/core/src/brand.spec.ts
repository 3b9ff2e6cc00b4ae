import { describe, expect, it } from '@jest/globals';
import { brand, isOwnInstance } from './brand.js';

/** The classes of one copy: the same for each, and not the same. */
function copy() {
  class Problem extends Error {}
  class Outage extends Problem {}
  class Refusal extends Problem {}
  brand({ Problem, Outage, Refusal });
  return { Problem, Outage, Refusal };
}

describe('a brand', () => {
  const [here, there] = [copy(), copy()];

  it('makes an object of another copy an instance of its class and the classes above, and of no other', () => {
    const outage = new there.Outage();
    const kinds = [here.Outage, here.Problem, here.Refusal].map((type) => outage instanceof type);
    expect(kinds).toEqual([true, true, false]);
    expect(new there.Problem() instanceof here.Outage).toBe(false);
  });

  it('covers objects of a subclass that has none, and gives that subclass none', () => {
    class NoPaper extends there.Outage {}
    expect([new NoPaper() instanceof here.Outage, new NoPaper() instanceof NoPaper]).toEqual([true, true]);
    expect([new here.Outage() instanceof NoPaper, new there.Outage() instanceof NoPaper]).toEqual([false, false]);
  });

  it.each([undefined, null, 'text', 1, {}, Object.create(null), () => undefined])('is not that of %p', (value) => {
    expect(value instanceof here.Problem).toBe(false);
  });

  it('is not hidden from who must know the copy', () => {
    expect(isOwnInstance(new there.Outage(), here.Outage)).toBe(false);
    expect(isOwnInstance(new here.Outage(), here.Problem)).toBe(true);
  });
});
