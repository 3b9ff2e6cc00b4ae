import { describe, expect, it } from '@jest/globals';
import { compareNames, partitionName, topicPartitionProblem } from './topic-partition.js';

describe('a partition of a topic', () => {
  it('is named by both', () => {
    expect(partitionName({ topic: 'orders', partition: 3 })).toBe('orders/3');
  });

  it.each<[given: unknown, problem: string | undefined]>([
    [{ topic: 'orders', partition: 0 }, undefined],
    [{ topic: '', partition: 0 }, 'topic name is empty'],
    [{ topic: 'orders', partition: -1 }, 'partition must be a whole number of at least 0, got -1'],
    [{ topic: 'orders' }, 'a partition must be { topic, partition }, got an object'],
    [{ partition: 1 }, 'a partition must be { topic, partition }, got an object'],
    [null, 'a partition must be { topic, partition }, got null'],
    ['orders', 'a partition must be { topic, partition }, got "orders"'],
    [undefined, 'a partition must be { topic, partition }, got undefined'],
  ])('may be wrong: %p', (given, problem) => {
    expect(topicPartitionProblem(given)).toBe(problem);
  });

  it('comes in the order of code units', () => {
    expect(['b', 'é', 'a', 'B', 'a'].sort(compareNames)).toEqual(['B', 'a', 'a', 'b', 'é']);
    expect([compareNames('a', 'b'), compareNames('b', 'a'), compareNames('a', 'a')]).toEqual([-1, 1, 0]);
  });
});
