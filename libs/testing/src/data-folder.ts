import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commandOf } from './process-state.js';
import { waitFor } from './wait-for.js';

// Only files that Redis itself writes: the folder may be the caller's. `nodes.conf` stays, since it is the identity of a cluster node.
const dataFiles = /^(dump\.rdb|appendonlydir|appendonly\.aof|temp-.*\.(rdb|aof))$/;

/** The file with a server's process id, by which the next server knows whether the folder is in use. */
export function pidFile(dir: string): string {
  return join(dir, 'redis.pid');
}

/** Removes the dataset of a server that has ended: its snapshot and its append-only files. */
export async function removeData(dir: string): Promise<void> {
  const files = (await readdir(dir)).filter((name) => dataFiles.test(name));
  await Promise.all(files.map((name) => rm(join(dir, name), { recursive: true, force: true })));
}

/**
 * Refuses a folder in use: two servers that append to the same files destroy them. Waits shortly for a server whose owner has just died
 * and that is about to end too.
 *
 * @throws {Error} when another server keeps its data in this folder
 */
export async function assertUnused(dir: string): Promise<void> {
  const pid = Number(await readFile(pidFile(dir), 'utf8').catch(() => Number.NaN));
  if (!(pid > 0)) return;
  const isGone = async () => !/redis|valkey/.test((await commandOf(pid)) ?? '');
  try {
    await waitFor(isGone, { what: `process ${pid} to end`, timeoutMs: 2_000, intervalMs: 20 });
  } catch {
    throw new Error(
      `the data folder ${dir} is in use by the Redis server with process id ${pid}. Stop that one first.`,
    );
  }
}
