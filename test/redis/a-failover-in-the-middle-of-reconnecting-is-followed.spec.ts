import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RedisClient, RedisConnection } from '@millrace/redis';
import {
  type Replicated,
  type Sentinels,
  startReplicated,
  startSentinels,
  stopEverything,
  waitFor,
} from '@millrace/testing';

describe('a connection that finds its primary through Sentinel', () => {
  let replicated: Replicated;
  let sentinels: Sentinels;
  let connection: RedisConnection;
  beforeEach(async () => {
    replicated = await startReplicated();
    sentinels = await startSentinels(replicated);
  });
  afterEach(async () => {
    connection.close();
    await stopEverything();
  });

  const open = async (commandTimeoutMs: number): Promise<RedisClient[]> => {
    connection = await new RedisConnection({ ...sentinels.connection, commandTimeoutMs }).open();
    return [connection.commands, await connection.blocking('test')];
  };
  /** The first is asked first. */
  const failOverWhileTheFirstIsFrozen = async (): Promise<void> => {
    await sentinels.servers[0]!.freeze();
    await replicated.primary.kill();
    const [replica] = replicated.replicas;
    await waitFor(async () => (await sentinels.primary()) === replica, { what: 'the failover', timeoutMs: 30_000 });
  };
  /** A client that follows a failover is `ready` until its old connection has ended: only a reply shows that it is back. */
  const writes = (client: RedisClient) =>
    waitFor(() => client.set('a', '1'), { what: 'a client to be back', timeoutMs: 30_000 });

  it('comes back when the failover happens while it asks for the primary', async () => {
    // given that the Sentinel which it asks does not reply yet
    const clients = await open(120_000);
    await failOverWhileTheFirstIsFrozen();
    // when it replies
    sentinels.servers[0]!.thaw();
    // then
    expect(await Promise.all(clients.map(writes))).toEqual(['OK', 'OK']);
  });

  it('comes back when the Sentinel that it asks never replies', async () => {
    const clients = await open(1000);
    await failOverWhileTheFirstIsFrozen();
    expect(await Promise.all(clients.map(writes))).toEqual(['OK', 'OK']);
  });
});
