import { setTimeout as sleep } from 'node:timers/promises';
import { startReplicated, startSentinels, waitFor } from '@millrace/testing';
import type { Client, Stage } from '../stage.js';

const topic = 'orders';

export const watch =
  'orders are sent all the while, each confirmed by a replica too (acks: all). The primary is killed -9, Sentinel promotes a replica, and the same processes go on there.';

export async function play(stage: Stage): Promise<void> {
  const replicated = await startReplicated({ replicas: 2 });
  const sentinels = await startSentinels(replicated);
  stage.say('A primary, two replicas, and three Sentinels that watch them.');
  const [shop, desk] = [await stage.connect(sentinels.connection), await stage.connect(sentinels.connection)];
  await shop.log.declareTopic({ name: topic, partitions: 2 });
  const handled = new Set<unknown>();
  await desk.log.consumer({ group: 'order-desk', topics: topic, handler: (order) => void handled.add(order) }).start();

  const load = new Load(shop);
  const running = load.run();
  await waitFor(() => load.confirmed.length >= 100, { what: 'the load to run' });
  const { primary } = replicated;
  await primary.kill();
  const before = load.confirmed.length;
  const killedAt = performance.now();
  stage.say(`kill -9: the primary on port ${primary.port} is dead, after ${before} confirmed orders.`);
  await waitFor(() => load.confirmed.length >= before + 100, {
    what: 'orders to be confirmed again',
    timeoutMs: 30_000,
  });
  const after = ((performance.now() - killedAt) / 1000).toFixed(1);
  const promoted = await sentinels.primary();
  stage.say(
    `Sentinel promoted the replica on port ${promoted?.port}; 100 orders more are confirmed ${after} s after the kill.`,
  );
  load.stop();
  await running;

  const missing = (): number => load.confirmed.filter((order) => !handled.has(order)).length;
  await waitFor(() => missing() === 0, { what: 'all confirmed orders to be handled', timeoutMs: 20_000 }).catch(
    () => 0,
  );
  stage.promised('another server is the primary now.', promoted !== undefined && promoted !== primary);
  stage.say(`${load.failed} orders were refused: their senders were told so.`);
  stage.promised(
    `all ${load.confirmed.length} confirmed orders were handled, ${missing()} are missing.`,
    missing() === 0,
  );
}

/** Sends orders, a few at a time, and notes which were confirmed. */
class Load {
  readonly confirmed: number[] = [];
  failed = 0;
  readonly #send: (order: number) => Promise<unknown>;
  #isOver = false;

  constructor({ log }: Client) {
    const producer = log.producer({ acks: 'all', minReplicas: 1, deliveryTimeoutMs: 20_000 });
    this.#send = (order) => producer.send({ topic, key: `user-${order % 20}`, value: order });
  }

  async run(): Promise<void> {
    const sending: Promise<void>[] = [];
    for (let order = 0; !this.#isOver; order++) {
      sending.push(this.#one(order));
      await sleep(4);
    }
    await Promise.all(sending);
  }

  stop(): void {
    this.#isOver = true;
  }

  async #one(order: number): Promise<void> {
    try {
      await this.#send(order);
      this.confirmed.push(order);
    } catch {
      this.failed++;
    }
  }
}
