import { afterEach, expect, it } from '@jest/globals';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import { type RedisCluster, startCluster, stopEverything } from '@millrace/testing';
import { type Certificates, overTls, withCertificates } from './certificates.js';
import { useLog } from './uses-of-a-log.js';
import { useQueues } from './uses-of-queues.js';

/** Which of their ports clients of ours are connected to, at every node. */
async function portsInUse(cluster: RedisCluster): Promise<(string | undefined)[]> {
  const lists = await Promise.all(cluster.servers.map((server) => server.client().client('LIST')));
  const ours = lists.flatMap((list) => String(list).split('\n')).filter((line) => line.includes(' name=millrace:'));
  return ours.map((line) => /laddr=[^ ]*:(\d+) /.exec(line)?.[1]);
}

overTls.describe('on a cluster whose nodes speak TLS', () => {
  afterEach(stopEverything);

  it('the log and queues do all they do, at every node over TLS', async () => {
    const cluster = await withCertificates('IP:127.0.0.1', start());
    const reach = () => reachOver(cluster, '127.0.0.1');
    expect(await useLog(reach)).toEqual([]);
    expect(await useQueues(reach)).toEqual([]);
    const connection = await new RedisConnection(reach()).open();
    await connection.blocking('waits');
    await Promise.all(Array.from({ length: 100 }, (_, n) => connection.commands.get(`${n}`)));
    expect([...new Set(await portsInUse(cluster))].sort()).toEqual(cluster.masters.map(tlsPort).sort());
    connection.close();
  });

  it('and whose certificates are made out to names, the nodes are called by their names', async () => {
    const named = { 'cluster-announce-hostname': 'localhost', 'cluster-preferred-endpoint-type': 'hostname' };
    const cluster = await withCertificates('DNS:localhost', start(named));
    const connection = await new RedisConnection(reachOver(cluster, 'localhost')).open();
    await Promise.all(Array.from({ length: 100 }, (_, n) => connection.commands.set(`${n}`, n)));
    connection.close();
    // and: a client that calls them by their addresses gets an error that says what is wrong
    const input = { ...reachOver(cluster, '127.0.0.1'), connectTimeoutMs: 120_000 };
    const problem = await new RedisConnection(input).open().catch(String);
    expect(problem).toMatch(/its TLS certificate is for another name \(.+\): connect by a name that is in it/);
  });
});

function start(config = {}) {
  return async ({ files, ca }: Certificates): Promise<RedisCluster & { ca: Buffer }> =>
    Object.assign(await startCluster({ replicasPerMaster: 0, aof: 'everysec', tls: files, config }), { ca });
}

function reachOver({ masters, ca }: RedisCluster & { ca: Buffer }, host: string): ConnectionInput {
  return { cluster: { nodes: masters.map((server) => ({ host, port: server.tlsPort ?? 0 })) }, tls: { ca } };
}

function tlsPort(server: { readonly tlsPort: number | undefined }): string {
  return String(server.tlsPort);
}
