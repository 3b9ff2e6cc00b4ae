import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freePort } from '@millrace/testing';
import amqp from 'amqplib';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer } from '../servers.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { programOnPath } from './program-on-path.js';

// The wrapper in /usr/sbin changes the user; the server's own script runs as whoever starts it.
const scriptFolders = ['/usr/lib/rabbitmq/bin', '/usr/local/opt/rabbitmq/sbin', '/opt/homebrew/opt/rabbitmq/sbin'];

/** `RABBITMQ_URL`, or an installed RabbitMQ that the bench starts when it is first needed. */
export async function findRabbitmq(durability: Durability): Promise<FoundServer | AbsentServer> {
  const kept = durability === 'none' ? 'transient messages' : 'durable classic queues, persistent messages, confirms';
  const rabbitmqUrl = process.env.RABBITMQ_URL;
  if (rabbitmqUrl !== undefined && rabbitmqUrl !== '') {
    const lease = async () => ({ place: { rabbitmqUrl }, release: async () => {} });
    return { description: `rabbitmq of RABBITMQ_URL, ${kept}`, lease, stop: async () => {} };
  }
  const script = await programOnPath('rabbitmq-server', scriptFolders);
  if (script === undefined) return { absent: 'RABBITMQ_URL is not set and rabbitmq-server is not installed' };
  let running: Promise<OwnServer> | undefined;
  return {
    description: `rabbitmq-server of this machine, ${kept}`,
    lease: async () => {
      running ??= start(script);
      return { place: { rabbitmqUrl: (await running).url }, release: async () => {} };
    },
    stop: async () => (await running?.catch(() => undefined))?.stop(),
  };
}

async function start(script: string): Promise<OwnServer> {
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  return startOwnServer({
    url,
    command: script,
    args: () => [],
    env: (folder) => ({
      HOME: folder,
      RABBITMQ_NODENAME: `millrace-bench-${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
      RABBITMQ_LOG_BASE: `${folder}/log`,
      RABBITMQ_PID_FILE: `${folder}/pid`,
      RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/enabled_plugins`,
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq`,
      // A port mapper of its own: it would outlive the run otherwise, or be somebody else's.
      ERL_EPMD_PORT: String(epmdPort),
    }),
    isReady: async () => (await amqp.connect(url)).close(),
    cleanUp: () => promisify(execFile)('epmd', ['-port', String(epmdPort), '-kill']).catch(() => undefined),
  });
}
