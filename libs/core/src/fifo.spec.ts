import { describe, expect, it } from '@jest/globals';
import { Fifo } from './fifo.js';

function fifoOf(names: string): Fifo<string> {
  const fifo = new Fifo<string>();
  for (const name of names) fifo.push(name);
  return fifo;
}

describe('a queue in memory', () => {
  it('gives back what came, in its order, however much passes', () => {
    // given
    const fifo = new Fifo<number>();
    const taken: (number | undefined)[] = [];
    // when five thousand pass, up to three hundred simultaneously
    for (let n = 0; n < 5_000; n++) {
      fifo.push(n);
      if (fifo.size > 300) taken.push(fifo.shift());
    }
    while (fifo.size > 0) taken.push(fifo.shift());
    // then
    expect(taken).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.peek()).toBeUndefined();
  });

  it('gives as many as are asked for, or as there are', () => {
    // given
    const fifo = fifoOf('abcde');
    // when, then
    expect(fifo.take(2)).toEqual(['a', 'b']);
    expect(fifo.take(0)).toStrictEqual([]);
    expect(fifo.peek()).toBe('c');
    expect(fifo.take(9)).toStrictEqual(['c', 'd', 'e']);
    expect(fifo.size).toBe(0);
  });

  it('gives those that are wanted, and leaves the others in their order', () => {
    // given one of which the head is gone
    const fifo = fifoOf('xabcde');
    fifo.shift();
    // when
    const taken = fifo.takeIf((name) => 'bd'.includes(name));
    // then
    expect(taken).toEqual(['b', 'd']);
    expect([...fifo]).toEqual(['a', 'c', 'e']);
  });

  it('takes back what was taken, before all others', () => {
    // given
    const fifo = fifoOf('abcd');
    const taken = fifo.take(2);
    // when
    fifo.putBack(taken);
    // then
    expect([...fifo]).toEqual(['a', 'b', 'c', 'd']);
    fifo.clear();
    expect(fifo.size).toBe(0);
  });

  it('may begin with some, and counts what waits when its head is gone', () => {
    const fifo = new Fifo(['a', 'b', 'c']);
    fifo.shift();
    expect([fifo.size, fifo.peek()]).toEqual([2, 'b']);
    expect([...fifo]).toEqual(['b', 'c']);
    fifo.putBack([]);
    expect([fifo.size, fifo.peek()]).toEqual([2, 'b']);
  });
});
