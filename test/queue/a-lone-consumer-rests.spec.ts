import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { queueKeys } from '../../libs/queue/src/store/keys.js';
import { commandsOf, type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('a consumer that waits alone', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('beats only when its lease needs it, which its turns renew too, until another consumer comes', async () => {
    // given: one alone, and as a clock two of another queue, which watch each other and beat twice per second
    const open = await openBroker(server, ownPrefix());
    const [alone] = await waitingAt(open, 'alone', 1, 9000);
    const [clock] = await waitingAt(open, 'clock', 2, 1500);
    if (alone === undefined || clock === undefined) throw new Error('a consumer did not register');
    await beatsUntilNext(alone, clock);
    await beatsUntilNext(alone, clock);

    // when nothing happens; when a message was handled, late in its rest; when another joins
    const undisturbed = await beatsUntilNext(alone, clock);
    for (let beats = 0; beats < 3; beats++) await beatsUntilNext(clock, alone);
    const { messages } = queueKeys(open.connection.prefix, 'alone');
    const before = await alone();
    await open.broker.sendToQueue('alone', 'a message');
    const isSettled = async () => (await open.connection.commands.exists(messages)) === 0;
    await waitFor(async () => (await isSettled()) && (await alone()) !== before, { what: 'it to be handled' });
    await beatsUntilNext(clock, alone);
    const afterMessage = await beatsUntilNext(alone, clock);
    await waitingAt(open, 'alone', 1);
    const afterAnother = await beatsUntilNext(alone, clock);

    // then: two beats of the clock are a second
    expect(undisturbed).toBeGreaterThan(3);
    expect(afterMessage).toBeGreaterThan(3);
    expect({ afterAnother, isSoon: afterAnother < 4 }).toEqual({ afterAnother, isSoon: true });
    await open.close();
  });

  it('knows from its turns alone that a request is still its own: a reply costs no further command', async () => {
    // given: its beats are spared as long as its turns renew the lease
    const open = await openBroker(server, ownPrefix());
    const leaseMs = 1000;
    await open.broker.declareQueue({ name: 'q' });
    await open.broker.consumer({ queue: 'q', leaseMs, handler: (payload) => payload }).start();
    await open.broker.request('', 'q', 'the first');
    // when there is a request now and then, for several leases; but a process that stood still has to ask
    let commands: readonly string[] = [];
    for (let longestRestMs = leaseMs; longestRestMs > leaseMs / 2; ) {
      commands = commandsOf(open.connection);
      longestRestMs = await requestNowAndThen(open, leaseMs);
    }
    // then
    expect(commands).not.toContain('sismember');
    await open.close();
  });
});

/** Sends requests for four leases, and resolves to the longest time between the ends of two of them. */
async function requestNowAndThen({ broker }: OpenBroker, leaseMs: number): Promise<number> {
  const endsAt = performance.now() + 4 * leaseMs;
  let longestMs = 0;
  for (let last = performance.now(); last < endsAt; ) {
    const nextAt = last + leaseMs / 12;
    await waitFor(() => performance.now() > nextAt, { what: 'the next request', intervalMs: 2 });
    expect(await broker.request('', 'q', 'a request')).toBe('a request');
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  return longestMs;
}

/** When a consumer's lease ends: it moves with each beat and each turn. */
type Lease = () => Promise<string | null>;

/** Starts `count` consumers at a queue, and returns the leases of all that are there, in the order of their registration. */
async function waitingAt(
  { broker, connection }: OpenBroker,
  queue: string,
  count: number,
  leaseMs = 30_000,
): Promise<Lease[]> {
  await broker.declareQueue({ name: queue });
  const { consumers } = queueKeys(connection.prefix, queue);
  for (let index = 0; index < count; index++) {
    await broker.consumer({ queue, leaseMs, handler: () => undefined }).start();
  }
  const ids = (await connection.commands.zrange(consumers, '0', '-1')).sort();
  return ids.map((id) => () => connection.commands.zscore(consumers, id));
}

/** How often another beats until this one does: another's beats are the clock, since a busy machine delays both. */
async function beatsUntilNext(lease: Lease, another: Lease): Promise<number> {
  const before = await lease();
  let last = await another();
  let beats = 0;
  const isNext = async (): Promise<boolean> => {
    const [mine, anothers] = await Promise.all([lease(), another()]);
    if (anothers !== last) beats++;
    last = anothers;
    return mine !== before;
  };
  await waitFor(isNext, { what: 'the next beat', intervalMs: 20, timeoutMs: 20_000 });
  return beats;
}
