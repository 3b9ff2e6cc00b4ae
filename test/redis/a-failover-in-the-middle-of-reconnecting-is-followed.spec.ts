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
  const everyoneIsBack = (clients: readonly RedisClient[]) =>
    waitFor(() => clients.every(({ status }) => status === 'ready'), { what: 'every client', timeoutMs: 20_000 });

  it('comes back when the failover happens while it asks who is the primary', async () => {
    // given that the Sentinel which it asks answers nothing yet
    const clients = await open(120_000);
    await failOverWhileTheFirstIsFrozen();
    // when it answers
    sentinels.servers[0]!.thaw();
    // then
    await everyoneIsBack(clients);
    expect(await connection.commands.set('a', '1')).toBe('OK');
  });

  it('comes back when the Sentinel that it asks never answers', async () => {
    const clients = await open(1000);
    await failOverWhileTheFirstIsFrozen();
    await everyoneIsBack(clients);
    expect(await connection.commands.set('a', '1')).toBe('OK');
  });
});
