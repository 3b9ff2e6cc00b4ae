import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

// Only what Redis itself writes: the folder may be the caller's. `nodes.conf` stays, it is who a cluster node is.
const dataFiles = /^(dump\.rdb|appendonlydir|appendonly\.aof|temp-.*\.(rdb|aof))$/;

/** Removes the dataset of a server that has ended: its snapshot and its append-only files. */
export async function removeData(dir: string): Promise<void> {
  const files = (await readdir(dir)).filter((name) => dataFiles.test(name));
  await Promise.all(files.map((name) => rm(join(dir, name), { recursive: true, force: true })));
}
