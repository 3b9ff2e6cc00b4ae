import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { redisFailure } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';

describe('a server that is made a replica while a command waits at it', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('is an outage: what was sent may be written, and can be sent again', async () => {
    // given a write that waits for a replica
    const [writer, operator] = [server.client(), server.client()];
    await writer.set('a', 1);
    const waiting = writer.wait(1, 0).catch((error: unknown) => error);
    const isWaiting = async () => (await operator.info('clients')).includes('blocked_clients:1');
    await waitFor(isWaiting, { what: 'WAIT to block' });

    // when
    await operator.replicaof(server.host, server.port);

    // then
    const failure = redisFailure(await waiting);
    expect(failure).toMatchObject({ failure: 'unavailable', mayBeWritten: true, isTemporary: true });
  });

  it('is read also behind what the client of a cluster says of its redirections', () => {
    const tooMany = new Error('Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN The cluster is down');
    expect(redisFailure(tooMany)).toMatchObject({ failure: 'unavailable', mayBeWritten: false, isTemporary: true });
    const refused = new Error('Too many Cluster redirections. Last error: Error: Connection is closed.');
    expect(redisFailure(refused)).toMatchObject({ failure: 'unavailable', mayBeWritten: true, isTemporary: true });
  });
});
