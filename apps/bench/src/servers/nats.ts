import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@millrace/testing';
import { connect, type NatsConnection } from 'nats';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer, Leased } from './found-server.js';
import { givenServer } from './given-server.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { programOnPath } from './program-on-path.js';
import { sharedName } from './shared-name.js';

const answerTimeoutMs = 3_000;

/** `NATS_URL`, or a nats-server of this machine that the bench starts when it is first needed. */
export async function findNats(durability: Durability): Promise<FoundServer | AbsentServer> {
  if (durability === 'always') return { absent: 'the bench cannot have it sync every write' };
  const given = await givenServer('NATS_URL', async (natsUrl) => ({
    description: `nats-server ${await withJetStream(natsUrl, async ({ info }) => info?.version)} of NATS_URL, JetStream, ${
      durability === 'none' ? 'memory' : 'file storage, fsync as it is configured'
    }`,
    lease: async () => lease(natsUrl),
    stop: async () => {},
  }));
  return given ?? findInstalled(durability);
}

async function findInstalled(durability: Durability): Promise<FoundServer | AbsentServer> {
  const binary = await programOnPath('nats-server');
  if (binary === undefined) return { absent: 'NATS_URL is not set and nats-server is not installed' };
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
      return lease((await running).url);
    },
    stop: async () => (await running?.catch(() => undefined))?.stop(),
  };
}

/** One server for all measurements, a stream for each. */
function lease(natsUrl: string): Leased {
  const name = sharedName();
  const remove = async (connection: NatsConnection) => (await connection.jetstreamManager()).streams.delete(name);
  return {
    place: { natsUrl, name },
    // It has none when the measurement did not come so far, and what is wrong with a server that is gone has been said.
    release: () =>
      withJetStream(natsUrl, remove).then(
        () => undefined,
        () => undefined,
      ),
  };
}

/** @throws {Error} when there is no server, or one without JetStream */
async function withJetStream<T>(servers: string, ask: (connection: NatsConnection) => Promise<T>): Promise<T> {
  const connection = await connect({ servers, timeout: answerTimeoutMs, reconnect: false });
  try {
    await connection.jetstreamManager({ timeout: answerTimeoutMs });
    return await ask(connection);
  } finally {
    await connection.close();
  }
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
    isReady: () => withJetStream(url, async () => undefined),
  });
}
