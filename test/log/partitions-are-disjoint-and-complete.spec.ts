import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupConsumer } from '@millrace/log';
import { waitFor } from '@millrace/testing';
import { LogOnRedis, times } from './log-on-redis.js';

let redis: LogOnRedis;
beforeAll(async () => {
  redis = await LogOnRedis.start();
});
afterAll(() => redis.stop());

const ownedBy = (consumers: readonly GroupConsumer[]): string[] =>
  consumers.flatMap(({ assignment }) => assignment.map(({ topic, partition }) => `${topic}/${partition}`)).sort();

describe("a group's partitions", () => {
  it('are disjoint at every moment, and complete and balanced after each join and leave', async () => {
    // given a topic of seven partitions and members that come and go
    const topic = await redis.topic({ partitions: 7 });
    const all = times(7, (partition) => `${topic}/${partition}`);
    const owners = new Map<number, string>();
    const doubles: number[] = [];
    const consumers: GroupConsumer[] = [];
    const join = async (): Promise<GroupConsumer> => {
      const log = await redis.another();
      const consumer = log.consumer({ group: 'joins', topics: topic, heartbeatMs: 50, handler: () => undefined });
      log.events.on('partition-assigned', ({ partition }) => {
        if (owners.has(partition)) doubles.push(partition);
        owners.set(partition, consumer.memberId);
      });
      log.events.on('partition-revoked', ({ partition }) => owners.delete(partition));
      await consumer.start();
      consumers.push(consumer);
      return consumer;
    };
    const settled = () =>
      waitFor(
        () => {
          const sizes = consumers.map(({ assignment }) => assignment.length);
          return ownedBy(consumers).join() === all.join() && Math.max(...sizes) - Math.min(...sizes) <= 1;
        },
        { what: `${consumers.length} members to share seven partitions` },
      );

    // when they join one by one and leave one by one
    for (let count = 0; count < 4; count++) {
      await join();
      await settled();
    }
    while (consumers.length > 1) {
      await consumers.shift()?.stop();
      await settled();
    }
    await consumers[0]?.stop();

    // then no partition ever had two owners
    expect(doubles).toEqual([]);
    expect(owners.size).toBe(0);
  });

  it('that appear later are taken up and read from their beginning, also by a pattern and with from: latest', async () => {
    // given a member that wants every topic of a name
    const seen: unknown[] = [];
    const handler = (value: unknown): void => void seen.push(value);
    const consumer = redis.log.consumer({
      group: 'later',
      topics: /^later-/,
      from: 'latest',
      topicRefreshMs: 20,
      handler,
    });
    await redis.log.declareTopic({ name: 'later-a', partitions: 1 });
    const producer = redis.log.producer();
    await producer.send({ topic: 'later-a', value: 'before the group' });
    await consumer.start();

    // when a topic and a partition are added, and written to immediately
    await redis.log.declareTopic({ name: 'later-b', partitions: 1 });
    await producer.send({ topic: 'later-b', value: 'new topic' });
    await redis.log.addPartitions('later-a', 2);
    await producer.send({ topic: 'later-a', partition: 1, value: 'new partition' });
    await producer.send({ topic: 'later-a', partition: 0, value: 'old partition' });

    // then it handles all of it, and nothing from before
    await waitFor(() => seen.length === 3, { what: 'three records' });
    expect(seen.sort()).toEqual(['new partition', 'new topic', 'old partition']);
    await consumer.stop();
  });
});
