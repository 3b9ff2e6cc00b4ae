import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '@millrace/testing';

// What is done to servers alike, however they stand together.

/** Asks every one that can answer. */
export async function everywhere(
  servers: readonly RedisServer[],
  [name, ...rest]: readonly [string, ...string[]],
): Promise<void> {
  for (const server of servers.filter(({ isResponsive }) => isResponsive)) {
    const client = server.client();
    await client.call(name, ...rest);
    client.disconnect();
  }
}

/** For a time they refuse whatever needs memory. */
export async function fill(servers: readonly RedisServer[], forMs: number): Promise<void> {
  await everywhere(servers, ['CONFIG', 'SET', 'maxmemory', '1mb']);
  await sleep(forMs);
  await lift(servers);
}

/** Ends what `fill` began. */
export async function lift(servers: readonly RedisServer[]): Promise<void> {
  await everywhere(servers, ['CONFIG', 'SET', 'maxmemory', '0']);
}

/** All of them run again. */
export async function revive(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    server.thaw();
    if (!server.isRunning) await server.restart();
  }
}
