import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Metrics } from '@millrace/metrics';
import { type RedisServer, startRedis } from '@millrace/testing';
import { Registry } from 'prom-client';
import { expectNothingLeftBy } from '../footprint.js';
import { openMeasured, ownPrefix } from './measured.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it('metrics that were started, scraped and stopped leave nothing behind', async () => {
  const { connection, log, broker, metrics, close } = await openMeasured(server, ownPrefix());
  await metrics.stop();
  await broker.declareQueue({ name: 'q' });
  const registry = new Registry();
  const life = async (): Promise<void> => {
    const own = new Metrics({ connection, events: log.events }, { registry });
    await own.start();
    await broker.sendToQueue('q', 1);
    expect(await registry.metrics()).toContain('millrace_');
    await own.stop();
  };
  const emitters = [connection, connection.commands, log.events];
  await expectNothingLeftBy(life, { admin: server.client(), emitters });
  await close();
});
