import { askRedis } from './redis-question.js';
import type { RedisServer } from './redis-server.js';

const keysAtOnce = 10;
const migrateTimeoutMs = 5_000;

/** A slot that moves from one master to another. */
export interface SlotMove {
  readonly slot: number;
  readonly from: RedisServer;
  readonly to: RedisServer;
  /** Awaited when all keys have moved and the slot has not: the old master replies ASK. */
  readonly whileMoving?: (() => Promise<unknown>) | undefined;
}

/** Moves it as `redis-cli --cluster reshard` does, key by key; clients get ASK, TRYAGAIN and finally MOVED. */
export async function moveSlot({ slot, from, to, whileMoving }: SlotMove): Promise<void> {
  const setSlot = (server: RedisServer, ...how: string[]) =>
    askRedis(server, ['CLUSTER', 'SETSLOT', String(slot), ...how]);
  const [fromId, toId] = await Promise.all([idOf(from), idOf(to)]);
  await setSlot(to, 'IMPORTING', fromId);
  await setSlot(from, 'MIGRATING', toId);
  await moveKeys(slot, from, to);
  await whileMoving?.();
  // Keys written meanwhile stay with the old master: it gives the slot up only when it is empty.
  await moveKeys(slot, from, to);
  // The new master first: until the old one knows, it redirects clients with ASK.
  await setSlot(to, 'NODE', toId);
  await setSlot(from, 'NODE', toId);
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const login = to.password === undefined ? [] : ['AUTH', to.password];
  for (;;) {
    const keys = textsOf(await askRedis(from, ['CLUSTER', 'GETKEYSINSLOT', String(slot), String(keysAtOnce)]));
    if (keys.length === 0) return;
    const place = [to.host, String(to.port), '', '0', String(migrateTimeoutMs)];
    await askRedis(from, ['MIGRATE', ...place, ...login, 'KEYS', ...keys], migrateTimeoutMs);
  }
}

async function idOf(server: RedisServer): Promise<string> {
  return textsOf(await askRedis(server, ['CLUSTER', 'MYID']))[0] ?? '';
}

/** The strings of a raw reply: every line that follows a length. */
function textsOf(reply: string): string[] {
  return [...reply.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, text]) => text ?? '');
}
