import { afterEach, describe, expect, it } from '@jest/globals';
import { type Replicated, startProxy, startReplicated, stopEverything, waitFor } from '@millrace/testing';
import { openLog, times } from './log-on-redis.js';

const values = (what: string, count: number) => times(count, (index) => `${what} ${index}`);

let close = async (): Promise<void> => undefined;
afterEach(async () => {
  await close();
  await stopEverything();
});

/** A group that reaches the primary by an address that stays the same, as through a virtual IP. */
async function followed() {
  const replicated = await startReplicated();
  const proxy = await startProxy({
    get port() {
      return replicated.primary.port;
    },
  });
  const { log, connection } = await openLog(proxy.connection);
  await log.declareTopic({ name: 't' });
  const seen: unknown[] = [];
  const moved: unknown[] = [];
  log.events.on('offset-out-of-range', (event) => moved.push(event));
  const consumer = log.consumer({ group: 'g', topics: 't', handler: (value) => void seen.push(value) });
  await consumer.start();
  const committed = (offset: number) =>
    waitFor(() => consumer.assignment[0]?.committed === offset, { what: `the commit of ${offset}` });
  close = async () => {
    await log.close();
    connection.close();
  };
  return { replicated, proxy, log, seen, moved, committed };
}

/** Written by another process, straight to the primary of the moment. */
async function write(replicated: Replicated, wanted: readonly string[]): Promise<void> {
  const { log, connection } = await openLog(replicated.primary.connection);
  await log.producer().sendBatch(wanted.map((value) => ({ topic: 't', value })));
  await log.close();
  connection.close();
}

describe('a failover to a replica that is behind', () => {
  it.each(['has died', 'goes on as a replica'])(
    'loses no record that came after it when the old primary %s',
    async (how) => {
      // given a group that has read ten records, of which the replica has five
      const { replicated, proxy, log, seen, moved, committed } = await followed();
      const [old, replica] = replicated.servers;
      if (old === undefined || replica === undefined) throw new Error('two servers were asked for');
      await write(replicated, values('kept', 5));
      await committed(5);
      await old.client().wait(1, 10_000);
      await replicated.cutOff(replica);
      await write(replicated, values('lost', 5));
      await committed(10);

      // when the replica takes over, and has other records before the group gets to it
      if (how === 'has died') await old.kill();
      await replicated.failOver(replica);
      await write(replicated, values('new', 8));
      proxy.cut();

      // then all of them are handled
      await waitFor(() => values('new', 8).every((value) => seen.includes(value)), {
        what: 'the new records',
        timeoutMs: 20_000,
      });
      await waitFor(async () => (await log.groups.lag('g'))[0]?.lag === 0, { what: 'the commit' });
      expect(moved).toContainEqual(expect.objectContaining({ topic: 't', from: 10, to: 5, why: 'log-truncated' }));
    },
  );
});
