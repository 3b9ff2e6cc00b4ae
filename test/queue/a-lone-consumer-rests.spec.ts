import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { queueKeys } from '../../libs/queue/src/store/keys.js';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('a consumer that waits alone', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  it('beats at a third of the usual pace, and at the usual one as soon as another joins it', async () => {
    // given: one alone, and beside it two of another queue, who have each other to look after and beat as usual
    const open = await openBroker(server, ownPrefix());
    const [alone] = await waitingAt(open, 'alone', 1);
    const [usual] = await waitingAt(open, 'shared', 2);
    if (alone === undefined || usual === undefined) throw new Error('somebody did not register');
    await nextBeat(alone);
    await nextBeat(alone);

    // when
    const whileAlone = await beatsUntilNext(alone, usual);
    // then: the third of the others' beats may be just before or after its own
    expect(whileAlone).toBeGreaterThanOrEqual(2);

    // when another joins right after a beat
    const [, other] = await waitingAt(open, 'alone', 1);
    if (other === undefined) throw new Error('the other did not register');
    const together = await beatsUntilNext(alone, other);
    // then
    expect(together).toBeLessThan(2);
    await open.close();
  });
});

/** When a consumer's lease ends: it moves with each beat. */
type Lease = () => Promise<string | null>;

/** Starts so many at a queue, and answers the leases of all that are there, in the order of their registration. */
async function waitingAt({ broker, connection }: OpenBroker, queue: string, count: number): Promise<Lease[]> {
  await broker.declareQueue({ name: queue });
  const { consumers } = queueKeys(connection.prefix, queue);
  for (let index = 0; index < count; index++) await broker.consumer({ queue, handler: () => undefined }).start();
  const ids = (await connection.commands.zrange(consumers, 0, -1)).sort();
  return ids.map((id) => () => connection.commands.zscore(consumers, id));
}

async function nextBeat(lease: Lease): Promise<void> {
  const before = await lease();
  await waitFor(async () => (await lease()) !== before, { what: 'the next beat', intervalMs: 20, timeoutMs: 20_000 });
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
