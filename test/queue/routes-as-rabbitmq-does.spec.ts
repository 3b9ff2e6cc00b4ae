import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Broker, topicMatches } from '@millrace/queue';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

/** What RabbitMQ 3.10.8 did: pattern, routing key, whether it matched. */
const answers = readFileSync('test/fixtures/topic-matching.tsv', 'utf8')
  .split('\n')
  .slice(1)
  .filter((line) => line !== '')
  .map((line) => {
    const [pattern = '', key = '', match] = line.split('\t');
    return { pattern: String(JSON.parse(pattern)), key: String(JSON.parse(key)), matches: match === 'true' };
  });

describe('routing', () => {
  let broker: Broker;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ broker, close } = await openBroker(await startRedis(), ownPrefix()));
  });
  afterAll(async () => {
    await close();
    await stopEverything();
  });

  it('has all results of a real broker to compare with', () => {
    expect(answers.length).toBe(160);
  });

  it.each(answers)('topicMatches($pattern, $key) is $matches', ({ pattern, key, matches }) => {
    expect(topicMatches(pattern, key)).toBe(matches);
  });

  it('sends as a real broker does through an exchange of all these patterns', async () => {
    // given
    const patterns = [...new Set(answers.map(({ pattern }) => pattern))];
    const queues = patterns.map((_, index) => ({ name: `q${index}` }));
    const bindings = patterns.map((routingKey, index) => ({ exchange: 'all', queue: `q${index}`, routingKey }));
    await broker.declare({ exchanges: [{ name: 'all', type: 'topic' }], queues, bindings });
    for (const { pattern, key, matches } of answers) {
      // when
      const { queues: reached } = await broker.publish('all', key, null);
      // then
      expect({ pattern, key, matches: reached.includes(`q${patterns.indexOf(pattern)}`) }).toEqual({
        pattern,
        key,
        matches,
      });
    }
  });

  it('direct takes the key as it is, fanout any key, the default exchange the name of a queue', async () => {
    await broker.declare({
      exchanges: [
        { name: 'direct', type: 'direct' },
        { name: 'fanout', type: 'fanout' },
      ],
      queues: [{ name: 'a' }, { name: 'b' }],
      bindings: [
        { exchange: 'direct', queue: 'a', routingKey: 'x.*' },
        { exchange: 'direct', queue: 'b', routingKey: '' },
        { exchange: 'fanout', queue: 'a', routingKey: 'ignored' },
        { exchange: 'fanout', queue: 'b' },
      ],
    });
    const reached = async (exchange: string, key: string) => (await broker.publish(exchange, key, 1)).queues;
    expect(await reached('direct', 'x.*')).toEqual(['a']);
    expect(await reached('direct', 'x.y')).toEqual([]);
    expect(await reached('direct', '')).toEqual(['b']);
    expect([...(await reached('fanout', 'x'))].sort()).toEqual(['a', 'b']);
    expect(await reached('', 'a')).toEqual(['a']);
    expect(await reached('', 'no-queue')).toEqual([]);
  });

  it('refuses a binding with more than two "#" words', async () => {
    await broker.declare({ exchanges: [{ name: 'deep', type: 'topic' }], queues: [{ name: 'deep' }] });
    await broker.bind({ exchange: 'deep', queue: 'deep', routingKey: '#.a.#' });
    await expect(broker.bind({ exchange: 'deep', queue: 'deep', routingKey: '#.a.#.b.#' })).rejects.toThrow(
      /"#" words/,
    );
  });
});
