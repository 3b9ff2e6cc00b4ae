import { describe, expect, it } from '@jest/globals';
import { type Linked, LinkedList } from './linked-list.js';

class Item implements Linked<Item> {
  before: Item | undefined;
  after: Item | undefined;
  constructor(readonly name: string) {}
}

function listOf(names: string) {
  const items = new Map([...names].map((name) => [name, new Item(name)]));
  const list = new LinkedList<Item>();
  for (const item of items.values()) list.push(item);
  const remove = (name: string) => list.remove(items.get(name) as Item);
  return { list, items, remove };
}

const namesIn = (list: LinkedList<Item>): string => [...list].map(({ name }) => name).join('');

describe('a list of what is under way', () => {
  it.each([
    ['the first', 'a', 'bcd'],
    ['one of the middle', 'c', 'abd'],
    ['the last', 'd', 'abc'],
  ])('keeps its order when %s is taken out', (_, gone, left) => {
    // given
    const { list, items, remove } = listOf('abcd');
    // when
    remove(gone);
    // then, and what is pushed goes behind
    expect(namesIn(list)).toBe(left);
    list.push(items.get(gone) as Item);
    expect(namesIn(list)).toBe(left + gone);
    expect(list.first?.name).toBe(left[0]);
  });

  it('is empty when all are taken out, in whatever order', () => {
    // given
    const { list, items, remove } = listOf('abcd');
    // when
    for (const name of 'bdac') remove(name);
    // then none of them names another
    expect(list.first).toBeUndefined();
    for (const { before, after } of items.values()) expect([before, after]).toEqual([undefined, undefined]);
    list.push(new Item('e'));
    expect(namesIn(list)).toBe('e');
  });

  it('leaves the others alone when one that is not in it is taken out', () => {
    // given
    const { list, remove } = listOf('abc');
    remove('b');
    // when
    remove('b');
    list.remove(new Item('x'));
    // then
    expect(namesIn(list)).toBe('ac');
  });
});
