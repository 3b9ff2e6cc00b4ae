import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything, waitFor } from '@millrace/testing';

describe('a command to a cluster, executed, whose reply is lost', () => {
  let cluster: RedisCluster;
  let connection: RedisConnection;
  beforeAll(async () => {
    cluster = await startCluster();
    connection = await new RedisConnection(cluster.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });

  it.each([
    ['alone', (client: Cluster, key: string) => client.incr(key)],
    ['in a pipeline', (client: Cluster, key: string) => inPipeline(client, key)],
  ])('fails and is not sent again: %s', async (name, increment) => {
    // given a node that executes and does not reply
    const key = `{counter}:${name}`;
    const client = connection.commands;
    if (!(client instanceof Cluster)) throw new Error('this is no cluster');
    expect(await increment(client, key)).toBe(1);
    const master = await cluster.masterOf(key);
    const node = client.nodes('master').find(({ options }) => options.port === master.port);
    const silenced = node?.call('CLIENT', 'REPLY', 'OFF').catch(() => 'lost');
    const lost = increment(client, key).catch((error: Error) => error);
    const other = master.client();
    await waitFor(async () => (await other.get(key)) === '2', { what: 'it to be executed' });

    // when its connection is lost
    await other.call('CLIENT', 'KILL', 'TYPE', 'normal');

    // then the sender gets an error, and the next one counts one more
    expect(await lost).toBeInstanceOf(Error);
    expect(await silenced).toBe('lost');
    await waitFor(() => client.exists(key).catch(() => undefined), { what: 'the node to be reached again' });
    expect(await increment(client, key)).toBe(3);
  });
});

async function inPipeline(client: Cluster, key: string): Promise<unknown> {
  const [reply] = (await client.pipeline().incr(key).exec()) ?? [];
  if (reply?.[0]) throw reply[0];
  return reply?.[1];
}
