import { afterAll, describe, expect, it } from '@jest/globals';
import { type Program, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { sized } from '../proof.js';
import { openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

const kills = sized({ whole: 20, short: 7 });
const count = kills * 500;

describe(`${count} messages`, () => {
  afterAll(stopEverything);

  it(`are all handled through ${kills} kills of the processes that handle them`, async () => {
    // given: three processes at a time, leases too long to help
    const server = await startRedis();
    const prefix = ownPrefix();
    const { broker, close } = await openBroker(server, prefix);
    await broker.declareQueue({ name: 'q', deliveryLimit: 1000 });
    const all: Program[] = [];
    const spawn = async (): Promise<Program> => {
      const program = await spawnConsumer(server, prefix, 'q', { leaseMs: 3_600_000, concurrency: 20, prefetch: 40 });
      all.push(program);
      return program;
    };
    const running = await Promise.all([spawn(), spawn(), spawn()]);
    // when: each is killed while it is at work on the next five hundred
    for (let kill = 0; kill < kills; kill++) {
      const victim = running[kill % 3];
      const replacement = spawn();
      const before = victim?.lines.length ?? 0;
      await broker.publishBatch(
        Array.from({ length: 500 }, (_, n) => ({
          exchange: '',
          routingKey: 'q',
          body: { n: kill * 500 + n, waitMs: 20 + (n % 20) },
        })),
      );
      await waitFor(() => (victim?.lines.length ?? 0) > before + 20, { what: 'the victim to be at work' });
      await victim?.kill();
      running[kill % 3] = await replacement;
    }
    // then
    const handled = () =>
      new Set(all.flatMap(({ lines }) => lines).flatMap((line) => /^done \S+ \{"n":(\d+)/.exec(line)?.[1] ?? []));
    const redis = server.client({ keyPrefix: `${prefix}:{queue:q}:` });
    await waitFor(async () => (await redis.hlen('messages')) === 0, {
      what: 'the queue to be empty',
      timeoutMs: 40_000,
    });
    await waitFor(() => handled().size === count, { what: `${count} to have been handled` });
    expect(await redis.exists('ready', 'delayed', 'ended', 'follow-ups')).toBe(0);
    await close();
  }, 120_000);
});
