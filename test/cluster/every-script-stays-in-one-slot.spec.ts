import { afterAll, describe, expect, it } from '@jest/globals';
import { type RedisCluster, startCluster, stopEverything } from '@millrace/testing';
import { useLog } from '../security/uses-of-a-log.js';
import { useQueues } from '../security/uses-of-queues.js';

/** The keys of a script call as MONITOR shows it: after the script and their number. */
function keysOf([command = '', , count = '0', ...rest]: readonly string[]): readonly string[] {
  return /^eval/i.test(command) ? rest.slice(0, Number(count)) : [];
}

async function watch(cluster: RedisCluster): Promise<{ readonly calls: string[][]; stop(): void }> {
  const calls: string[][] = [];
  const monitors = await Promise.all(cluster.masters.map((master) => master.client().monitor()));
  for (const monitor of monitors) {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua' && keysOf(args).length > 0) calls.push(args);
    });
  }
  return { calls, stop: () => monitors.forEach((monitor) => void monitor.disconnect()) };
}

describe('on a cluster', () => {
  afterAll(stopEverything);

  it('every script call has keys of one hash tag, whatever is done with the log and with queues', async () => {
    const cluster = await startCluster({ replicasPerMaster: 0 });
    const { calls, stop } = await watch(cluster);
    // when
    const errors = [...(await useLog(() => cluster.connection)), ...(await useQueues(() => cluster.connection))];
    stop();
    // then
    expect(errors).toEqual([]);
    const tags = calls.map((call) => new Set(keysOf(call).map((key) => /\{([^}]+)\}/.exec(key)?.[1] ?? key)));
    expect(tags.filter(({ size }) => size !== 1)).toEqual([]);
    // It did see what it is about: partitions, groups, queues, replies and what is declared.
    const kinds = new Set(tags.flatMap((tag) => [...tag]).map((tag) => tag.split(':')[0]));
    expect([...kinds].sort()).toEqual(['group', 'log', 'queue', 'reply', 'topology']);
  });
});
