import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@millrace/testing';
import { connect } from 'nats';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer } from '../servers.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { programOnPath } from './program-on-path.js';

/** `NATS_URL`, or a nats-server of this machine that the bench starts when it is first needed. */
export async function findNats(durability: Durability): Promise<FoundServer | AbsentServer> {
  const natsUrl = process.env.NATS_URL;
  if (natsUrl !== undefined && natsUrl !== '') {
    const lease = async () => ({ place: { natsUrl }, release: async () => {} });
    return { description: `nats of NATS_URL, as it is configured`, lease, stop: async () => {} };
  }
  const binary = await programOnPath('nats-server');
  if (binary === undefined) return { absent: 'NATS_URL is not set and nats-server is not installed' };
  if (durability === 'always') return { absent: 'the bench cannot have it sync every write' };
  let running: Promise<OwnServer> | undefined;
  const version = (await promisify(execFile)(binary, ['--version'])).stdout.match(/\d+(\.\d+)+/)?.[0] ?? '?';
  // Before 2.10 the server has its own interval, and no setting for it.
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const canSetSync = major > 2 || (major === 2 && minor >= 10);
  const kept = durability === 'none' ? 'memory' : `file storage, fsync every ${canSetSync ? '1 s' : '2 min (fixed)'}`;
  return {
    description: `nats-server ${version}, JetStream, ${kept}`,
    lease: async () => {
      running ??= start(binary, canSetSync);
      return { place: { natsUrl: (await running).url }, release: async () => {} };
    },
    stop: async () => (await running?.catch(() => undefined))?.stop(),
  };
}

async function start(binary: string, canSetSync: boolean): Promise<OwnServer> {
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  return startOwnServer({
    url,
    command: binary,
    args: async (folder) => {
      const config = join(folder, 'nats.conf');
      const sync = canSetSync ? ', sync_interval: "1s"' : '';
      await writeFile(config, `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: "${folder}"${sync} }\n`);
      return ['-c', config];
    },
    isReady: async () => {
      const connection = await connect({ servers: url, timeout: 1000, reconnect: false });
      await connection.jetstreamManager();
      await connection.close();
    },
  });
}
