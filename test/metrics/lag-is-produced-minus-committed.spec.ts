import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GroupConsumer, Log } from '@millrace/log';
import type { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, waitFor } from '@millrace/testing';
import { linesOf, sampleOf } from './exposition.js';
import { openMeasured, ownPrefix } from './measured.js';

const partitions = 4;
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

describe('lag', () => {
  it('is what was produced minus what is committed, through rebalances and resets', async () => {
    // given a topic that is written to, and a group of one that gets through some of it
    const prefix = ownPrefix();
    const { connection, log, metrics, close } = await openMeasured(server, prefix, { detail: { partitions: true } });
    await log.declareTopic({ name: 'orders', partitions });
    const gate = { isOpen: true };
    await produce(log, 40);
    const first = member(log, gate);
    await first.start();
    await waitFor(async () => (await totalLag(metrics)) === 0, { what: 'everything to be read' });
    await agrees();
    // when it handles nothing more, records come, and a second member takes half of the partitions
    gate.isOpen = false;
    await produce(log, 60);
    await waitFor(async () => (await totalLag(metrics)) === 60, { what: 'a lag of 60' });
    await agrees();
    const second = member(log, gate);
    await second.start();
    await agrees();
    // then it falls to 0 again, and rises by as much as an offset is set back
    gate.isOpen = true;
    await waitFor(async () => (await totalLag(metrics)) === 0, { what: 'everything to be read by two' });
    await agrees();
    await waitFor(() => [first, second].every(({ assignment }) => assignment.length === 2), { what: 'two each' });
    gate.isOpen = false;
    const owner = [first, second].find(({ assignment }) => assignment.some(({ partition }) => partition === 0));
    await owner?.seek({ topic: 'orders', partition: 0 }, 5);
    await waitFor(async () => (await totalLag(metrics)) === 20, { what: 'a lag of 20 after the reset' });
    await agrees();
    gate.isOpen = true;
    await close();

    async function agrees(): Promise<void> {
      const text = await metrics.scrape();
      const shown = linesOf(text, 'millrace_consumergroup_lag');
      expect(shown).toHaveLength(partitions);
      for (const { labels, value } of shown) {
        expect(Object.keys(labels).sort()).toEqual(['consumergroup', 'partition', 'topic']);
        const at = { topic: 'orders', partition: labels.partition ?? '' };
        const end = sampleOf(text, 'millrace_topic_partition_current_offset', at) ?? Number.NaN;
        const committed = sampleOf(text, 'millrace_consumergroup_current_offset', at) ?? Number.NaN;
        expect(value).toBe(end - committed);
        expect(end).toBe(await log.endOffset('orders', Number(labels.partition)));
        expect(committed).toBe(await committedOffset(connection, prefix, Number(labels.partition)));
      }
    }
  });

  it('counts what can still be read, and its time from the append', async () => {
    // given a group that has read none of 1,000 records, written now, of which each says that it is 30 days old
    const prefix = ownPrefix();
    const { log, metrics, close } = await openMeasured(server, prefix, { detail: { partitions: true } });
    await log.declareTopic({ name: 'orders' });
    const timestamp = Date.now() - 30 * 86_400_000;
    const before = Date.now();
    await log.producer().sendBatch(Array.from({ length: 1000 }, (_, value) => ({ topic: 'orders', value, timestamp })));
    await log.groups.resetOffsets('desk', { topic: 'orders', to: 'earliest' });
    // when all but ten are removed
    await log.deleteRecords('orders', 0, 990);
    await waitFor(async () => (await totalLag(metrics)) === 10, { what: 'a lag of 10' });
    // then the lag is ten, for as long as they are in the log
    const text = await metrics.scrape();
    expect(sampleOf(text, 'millrace_consumergroup_lag')).toBe(10);
    const lagSeconds = sampleOf(text, 'millrace_consumergroup_lag_seconds') ?? Number.NaN;
    expect(lagSeconds).toBeGreaterThanOrEqual(0);
    expect(lagSeconds).toBeLessThanOrEqual((Date.now() - before) / 1000);
    await close();
  });

  it('is none, not less, of a log that has lost what its group had committed', async () => {
    // given a group at the end of a log
    const prefix = ownPrefix();
    const { log, metrics, connection, close } = await openMeasured(server, prefix, { detail: { partitions: true } });
    await log.declareTopic({ name: 'orders' });
    await log.producer().sendBatch(Array.from({ length: 10 }, (_, value) => ({ topic: 'orders', value })));
    await log.groups.resetOffsets('desk', { topic: 'orders', to: 'latest' });
    // when a failover takes it back to an earlier end
    await connection.commands.hset(`${prefix}:{log:orders:0}:meta`, 'end', 4);
    // then
    expect(sampleOf(await metrics.scrape(), 'millrace_consumergroup_lag')).toBe(0);
    await close();
  });
});

function member(log: Log, gate: { isOpen: boolean }): GroupConsumer {
  const handler = async (): Promise<void> => {
    await waitFor(() => gate.isOpen, { what: 'the gate to open', timeoutMs: 30_000 });
  };
  return log.consumer({ group: 'desk', topics: ['orders'], handler, ordering: 'partition', commitIntervalMs: 1 });
}

async function produce(log: Log, records: number): Promise<void> {
  const producer = log.producer();
  for (let index = 0; index < records; index++) {
    await producer.send({ topic: 'orders', partition: index % partitions, value: index });
  }
}

async function totalLag(metrics: { scrape(): Promise<string> }): Promise<number | undefined> {
  return sampleOf(await metrics.scrape(), 'millrace_consumergroup_lag_sum');
}

/** What Redis itself says, without any code of ours. */
async function committedOffset({ commands }: RedisConnection, prefix: string, partition: number): Promise<number> {
  const [group] = (await commands.xinfo('GROUPS', `${prefix}:{log:orders:${partition}}:records`)) as string[][];
  const id = group?.[group.indexOf('last-delivered-id') + 1] ?? '';
  return Number(id.split('-')[1]);
}
