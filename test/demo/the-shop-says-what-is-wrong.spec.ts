import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, spawnProgram, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { demoProgram, Shop } from './shop.js';

const order = { userId: 'u1', items: [{ sku: 'book', quantity: 1 }] };

describe('the shop', () => {
  let redis: RedisServer;
  let shop: Shop;
  beforeAll(async () => {
    redis = await startRedis({ aof: 'always' });
    shop = await Shop.alone(redis.url);
  }, 90_000);
  afterAll(stopEverything);

  it('listens on this machine alone, and does not name what it is built with', async () => {
    expect(new URL(shop.url).hostname).toBe('127.0.0.1');
    const { headers } = await fetch(`${shop.url}/health`);
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('replies to an invalid order with every problem of it', async () => {
    const { status, body } = await shop.post('/orders', { items: [{ sku: '', quantity: 0 }], color: 'red' });
    expect(status).toBe(400);
    expect((body.message as string[]).join('\n')).toMatch(/color[\s\S]*userId[\s\S]*sku[\s\S]*quantity/);
  });

  it('says 503 while Redis is away, and 200 again once it is back, with no restart', async () => {
    // given
    expect((await shop.get('/health')).status).toBe(200);
    // when
    await redis.kill();
    await waitFor(async () => (await shop.get('/health')).status === 503, { what: 'health to say 503' });
    // then
    const refused = await shop.post('/orders', order);
    expect(refused).toMatchObject({ status: 503, body: { error: expect.stringMatching(/WRITE|UNAVAILABLE/) } });
    // and neither response names Redis' address or what went wrong there: the log does
    expect((await shop.get('/health')).body).toEqual({ status: 'down' });
    expect(JSON.stringify(refused.body)).not.toMatch(/127\.0\.0\.1|ECONN|redis/i);
    expect(shop.program.lines.join('\n')).toMatch(/Redis is away \(connection "default"\): .+/);
    await redis.restart();
    await waitFor(async () => (await shop.get('/health')).status === 200, { what: 'health to say 200' });
    const { status, body } = await shop.post('/orders', order);
    expect(status).toBe(202);
    expect((await shop.get(`/orders/${body.orderId}`)).body).toMatchObject({ orderId: body.orderId, ...order });
  }, 60_000);

  it('is shown by the demo when it cannot start: its port is taken', async () => {
    const env = { PORT: new URL(shop.url).port, REDIS_URL: redis.url };
    const program = await spawnProgram(demoProgram, { env });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines.join('\n')).toContain(`Port ${env.PORT} is in use. End what listens there`);
  }, 120_000);
});
