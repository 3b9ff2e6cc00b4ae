import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Overview } from '@millrace/admin';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { awkwardNames } from '../names.js';
import { linesOf, parseExposition, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('any name', () => {
  it('is listed and measured as it is, and no two share a series', async () => {
    // given a queue, an exchange, a topic and a group of each name, each with as many messages as it has a number
    const detail = { sources: true, partitions: true };
    const { connection, broker, log, metrics, close } = await openMeasured(server, ownPrefix(), { detail });
    for (const [index, name] of awkwardNames.entries()) {
      await broker.declare({ exchanges: [{ name, type: 'fanout' }], queues: [{ name }] });
      await broker.bind({ exchange: name, queue: name });
      await log.declareTopic({ name });
      const bodies = Array.from({ length: index + 1 }, (_, n) => n);
      await broker.publishBatch(bodies.map((body) => ({ exchange: name, routingKey: '', body })));
      await log.producer().sendBatch(bodies.map((value) => ({ topic: name, value })));
      await log.groups.resetOffsets(name, { topic: name, to: 0 });
    }
    // when
    const { queues, topics, groups, unread } = await new Overview(connection).read();
    await waitFor(async () => linesOf(await metrics.scrape(), 'millrace_queue_messages').length > 0, {
      what: 'a look',
    });
    const text = await metrics.scrape();
    // then
    const byCodeUnits = awkwardNames.toSorted();
    expect(unread).toEqual([]);
    expect(queues.map(({ queue }) => queue)).toEqual(byCodeUnits);
    expect(groups.map(({ group }) => group)).toEqual(byCodeUnits);
    expect(topics.map(({ topic }) => topic.name).sort()).toEqual(byCodeUnits);
    for (const [index, name] of awkwardNames.entries()) {
      const count = index + 1;
      expect(queues.find(({ queue }) => queue === name)).toMatchObject({ ready: count });
      expect(sampleOf(text, 'millrace_queue_messages_ready', { queue: name })).toBe(count);
      expect(sampleOf(text, 'millrace_messages_published_total', { source: `exchange:${name}` })).toBe(count);
      expect(sampleOf(text, 'millrace_consumergroup_lag', { consumergroup: name, topic: name })).toBe(count);
    }
    const series = parseExposition(text).map(({ name, labels }) => JSON.stringify([name, labels]));
    expect(series.filter((one, index) => series.indexOf(one) !== index)).toEqual([]);
    await close();
  });

  it('may hold the spaces of another: groups and topics are summed up one by one', async () => {
    // given
    const { log, metrics, close } = await openMeasured(server, ownPrefix());
    for (const [group, topic, value] of [
      ['a b', 'c', 1],
      ['a', 'b c', 2],
    ] as const) {
      await log.declareTopic({ name: topic });
      await log.producer().send({ topic, value });
      await log.groups.resetOffsets(group, { topic, to: 0 });
    }
    // when
    await waitFor(async () => linesOf(await metrics.scrape(), 'millrace_consumergroup_lag').length > 0, {
      what: 'a look',
    });
    // then
    const lines = linesOf(await metrics.scrape(), 'millrace_consumergroup_lag').map(({ labels }) => labels);
    expect(lines).toEqual([
      { consumergroup: 'a', topic: 'b c' },
      { consumergroup: 'a b', topic: 'c' },
    ]);
    await close();
  });

  it('may be that under which temporary queues are added up', async () => {
    // given
    const { broker, metrics, close } = await openMeasured(server, ownPrefix());
    await broker.declare({ queues: [{ name: '(temporary)' }, { name: 'reply', exclusive: true }] });
    for (const queue of ['(temporary)', 'reply']) await broker.sendToQueue(queue, 1);
    // when
    await waitFor(async () => linesOf(await metrics.scrape(), 'millrace_queue_messages').length > 0, {
      what: 'a look',
    });
    // then
    expect(linesOf(await metrics.scrape(), 'millrace_queue_messages')).toMatchObject([
      { labels: { queue: '(temporary)' }, value: 2 },
    ]);
    await close();
  });
});
