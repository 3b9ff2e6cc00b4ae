import type { Log } from '@millrace/log';
import type { Broker } from '@millrace/queue';
import { type RedisServer, type Replicated, type Sentinels, waitFor } from '@millrace/testing';

/**
 * Kills the primary that Sentinels watch while topic `orders` and queue `work` are under load, lets it come back as a replica, and
 * expects all that was confirmed to be handled. The Broker must ask for all replicas, as the producer here does: Sentinel may
 * choose any of them, also when it takes a primary for dead that is only slow, and that the others still follow.
 */
export async function failsOverUnderLoad(
  { log, broker }: { readonly log: Log; readonly broker: Broker },
  { replicated, sentinels }: { readonly replicated: Replicated; readonly sentinels: Sentinels },
): Promise<void> {
  // given a log and a queue under load
  const handled = { records: new Set<unknown>(), messages: new Set<unknown>() };
  const confirmed = { records: [] as number[], messages: [] as number[] };
  const handler = (value: unknown) => void handled.records.add(value);
  const member = log.consumer({ group: 'all', topics: 'orders', leaseMs: 2000, heartbeatMs: 200, handler });
  const consumer = broker.consumer({
    queue: 'work',
    leaseMs: 2000,
    handler: (value) => void handled.messages.add(value),
  });
  await Promise.all([member.start(), consumer.start()]);
  const producer = log.producer({ acks: 'all', minReplicas: replicated.replicas.length });
  let isOver = false;
  let lastError: unknown;
  const note = (error: unknown): boolean => {
    lastError = error;
    return false;
  };
  const load = async (send: (n: number) => Promise<unknown>, done: number[]): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      if (await send(n).then(isTrue, note)) done.push(n);
      // A send that fails immediately must not starve the event loop.
      else await new Promise(setImmediate);
    }
  };
  const loads = Promise.all([
    load((value) => producer.send({ topic: 'orders', key: `${value % 7}`, value }), confirmed.records),
    load((value) => broker.sendToQueue('work', value, { messageId: `m${value}` }), confirmed.messages),
  ]);
  const bothGrow = async (by: number): Promise<void> => {
    const targets = [confirmed.records.length + by, confirmed.messages.length + by];
    const isReached = () => confirmed.records.length >= targets[0]! && confirmed.messages.length >= targets[1]!;
    await waitFor(isReached, { what: `${by} more of both to be confirmed`, timeoutMs: 60_000 }).catch(
      async (error: unknown) => {
        const roles = await Promise.all(
          replicated.servers.map(async (server) =>
            server.isRunning ? `${server.port} ${await server.client().role()}` : `${server.port} is down`,
          ),
        );
        const sentinelStates = await sentinels.describe();
        throw new Error(
          `${error}; the last send failed: ${lastError}; servers: ${roles.join('; ')}; sentinels: ${sentinelStates}`,
        );
      },
    );
  };
  const agreedPrimary = (isMeant: (server: RedisServer) => boolean): Promise<RedisServer> =>
    waitFor(
      async () => {
        const primary = await sentinels.primary();
        return primary !== undefined && isMeant(primary) ? primary : undefined;
      },
      { what: 'Sentinels to agree on the primary', timeoutMs: 60_000 },
    );
  try {
    await bothGrow(50);

    // when the primary dies, Sentinel makes a replica the primary, and the one that died comes back and follows it
    const old = await agreedPrimary(() => true);
    await old.kill();
    const next = await agreedPrimary((server) => server !== old);
    await old.restart();
    await replicated.failOver(next);
    await bothGrow(50);
  } finally {
    isOver = true;
  }
  await loads;

  // then all that was confirmed is handled
  const missing = () => [
    ...confirmed.records.filter((value) => !handled.records.has(value)),
    ...confirmed.messages.filter((value) => !handled.messages.has(value)),
  ];
  await waitFor(() => missing().length === 0, { what: 'everything confirmed to be handled', timeoutMs: 30_000 });
  await Promise.all([member.stop(), consumer.stop()]);
}

function isTrue(): boolean {
  return true;
}
