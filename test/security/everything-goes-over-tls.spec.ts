import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { UnavailableError } from '@millrace/core';
import { RedisConnection } from '@millrace/redis';
import { stopEverything } from '@millrace/testing';
import { overTls, startWithTls, type TlsServer } from './certificates.js';
import { useLog } from './uses-of-a-log.js';
import { useQueues } from './uses-of-queues.js';

overTls.describe('over TLS', () => {
  let tls: TlsServer;
  beforeAll(async () => {
    tls = await startWithTls();
  });
  afterAll(stopEverything);

  const url = () => `rediss://127.0.0.1:${tls.tlsPort}`;

  it('the log and queues do all they do, connections that wait included', async () => {
    const { ca, server } = tls;
    await server.client().config('RESETSTAT');
    const reach = () => ({ url: url(), tls: { ca } });
    expect(await useLog(reach)).toEqual([]);
    expect(await useQueues(reach)).toEqual([]);
  });

  /** Known immediately: a test that waits for the time to be over fails. */
  async function refusal(input: ConstructorParameters<typeof RedisConnection>[0]): Promise<unknown> {
    return new RedisConnection({ connectTimeoutMs: 120_000, ...input }).open().catch((error: unknown) => error);
  }

  it('a certificate of a stranger is one clear error', async () => {
    const error = await refusal({ url: url(), tls: { ca: tls.otherCa } });
    expect(error).toBeInstanceOf(UnavailableError);
    expect(String(error)).toMatch(/its TLS certificate is not trusted \(.+\): give the CA that signed it as tls\.ca/);
  });
});
