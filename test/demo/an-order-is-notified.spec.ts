import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findRedisBinary, stopEverything, waitFor } from '@millrace/testing';
import { childrenOf, isRunning } from './processes.js';
import { Shop } from './shop.js';

/** The commands of the README. */
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, place = '', order = '{}'] = /^curl -i localhost:3000(\S+) [\s\S]*? -d '(.*)'$/m.exec(readme) ?? [];
const [, answer = '{}'] = /^curl localhost:3000\S+\n# (\{.*\})$/m.exec(readme) ?? [];

describe('the demo', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  });
  afterAll(async () => {
    await stopEverything();
    await rm(folder, { recursive: true, force: true });
  });

  it('carries an order through the log and the queue, still knows it after a kill -9, and leaves nothing behind', async () => {
    // given
    const shop = await Shop.ofDemo(folder, '--no-traffic');
    // when
    const { status, body } = await shop.post(place, JSON.parse(order));
    // then
    expect(status).toBe(202);
    const notified = await shop.waitForStatus(body.orderId, 'notified');
    expect(notified).toEqual({ ...JSON.parse(answer), orderId: body.orderId });
    await shop.program.waitForLine(new RegExp(`Notified u1: order ${body.orderId}`));

    // when
    await shop.program.stop();
    const restarted = await Shop.ofDemo(folder);
    // then
    expect((await restarted.get(`/orders/${body.orderId}`)).body).toEqual(notified);
    await restarted.program.waitForLine(/^notifications +Notified user-/, { timeoutMs: 30_000 });
    const line = await restarted.program.waitForLine(/^status /, { timeoutMs: 30_000 });
    expect(line).toMatch(
      /topic orders \d+ records, inventory lag \d+, order-desk lag \d+ .* queue notifications \d+ wait/,
    );

    // when its Redis dies
    const children = childrenOf(restarted.program.pid);
    const { path } = await findRedisBinary();
    process.kill(children.find(({ command }) => command.includes(path))?.pid ?? Number.NaN, 'SIGKILL');
    await restarted.program.waitForLine('Redis ENDED, and was started again', { timeoutMs: 30_000 });
    // then
    const isTaken = async () => (await restarted.post(place, JSON.parse(order))).status === 202;
    await waitFor(isTaken, { what: 'the shop to take orders again', timeoutMs: 30_000 });
    expect((await restarted.get(`/orders/${body.orderId}`)).body).toEqual(notified);

    // when one of its services dies, and then Ctrl-C
    const inventory = children.find(({ command }) => command.includes('apps/inventory/'));
    process.kill(inventory?.pid ?? Number.NaN, 'SIGKILL');
    await restarted.program.waitForLine('inventory ENDED (SIGKILL)');
    // then
    expect(await restarted.program.kill('SIGINT')).toEqual({ code: 0, signal: null });
    expect(children.filter(({ command }) => command.includes('apps/'))).toHaveLength(5);
    await waitFor(() => !children.some(isRunning), { what: 'everything that it started to be gone' });
  }, 240_000);
});
