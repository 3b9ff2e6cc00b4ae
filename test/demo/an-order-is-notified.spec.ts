import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, waitFor } from '@millrace/testing';
import { Shop } from './shop.js';

const order = { userId: 'u1', items: [{ sku: 'book', quantity: 1 }] };

describe('the demo shop', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('carries an order through the log and the queue, and still knows it after a kill -9', async () => {
    // given
    const shop = await Shop.open(folder);
    // when
    const { status, body } = await shop.post('/orders', order);
    // then
    expect(status).toBe(202);
    const notified = await shop.waitForStatus(body.orderId, 'notified');
    expect(notified).toEqual({ orderId: body.orderId, ...order, status: 'notified' });
    expect(shop.program.lines.join('\n')).toContain(`Notified u1: order ${body.orderId}`);

    // when
    await shop.program.stop();
    const restarted = await Shop.open(folder);
    // then
    expect((await restarted.get(`/orders/${body.orderId}`)).body).toEqual(notified);
    expect(await restarted.program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await restarted.program.stop();
  });

  it('answers an invalid order with every problem of it', async () => {
    const shop = await Shop.open(folder);
    const { status, body } = await shop.post('/orders', { items: [{ sku: '', quantity: 0 }], color: 'red' });
    expect(status).toBe(400);
    expect((body.message as string[]).join('\n')).toMatch(/color[\s\S]*userId[\s\S]*sku[\s\S]*quantity/);
    await shop.program.stop();
  });

  it('says 503 while Redis is away, and 200 again once it is back, with no restart', async () => {
    // given
    const redis = await startRedis({ aof: 'always' });
    const shop = await Shop.open(folder, redis.url);
    expect((await shop.get('/health')).status).toBe(200);
    // when
    await redis.kill();
    await waitFor(async () => (await shop.get('/health')).status === 503, { what: 'health to say 503' });
    // then
    const refused = await shop.post('/orders', order);
    expect(refused).toMatchObject({ status: 503, body: { error: expect.stringMatching(/WRITE|UNAVAILABLE/) } });
    await redis.restart();
    await waitFor(async () => (await shop.get('/health')).status === 200, { what: 'health to say 200' });
    const { body } = await shop.post('/orders', order);
    await shop.waitForStatus(body.orderId, 'notified');
    expect(await shop.program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await shop.program.stop();
    await redis.stop();
  }, 60_000);
});
