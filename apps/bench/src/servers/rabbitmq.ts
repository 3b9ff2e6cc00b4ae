import { freePort } from '@millrace/testing';
import amqp from 'amqplib';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer, Leased } from './found-server.js';
import { givenServer } from './given-server.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { programOnPath } from './program-on-path.js';
import { sharedName } from './shared-name.js';

const answerTimeoutMs = 3_000;

// The wrapper in /usr/sbin changes the user; the server's own script runs as the user that starts it.
const scriptFolders = ['/usr/lib/rabbitmq/bin', '/usr/local/opt/rabbitmq/sbin', '/opt/homebrew/opt/rabbitmq/sbin'];

/** `RABBITMQ_URL`, or an installed RabbitMQ that the bench starts when it is first needed. */
export async function findRabbitmq(durability: Durability): Promise<FoundServer | AbsentServer> {
  const kept = durability === 'none' ? 'transient messages' : 'durable classic queues, persistent messages, confirms';
  const given = await givenServer('RABBITMQ_URL', async (rabbitmqUrl) => ({
    description: `rabbitmq-server ${await withRabbitmq(rabbitmqUrl, versionOf)} of RABBITMQ_URL, ${kept}`,
    lease: async () => lease(rabbitmqUrl),
    stop: async () => {},
  }));
  return given ?? findInstalled(kept);
}

async function findInstalled(kept: string): Promise<FoundServer | AbsentServer> {
  const script = await programOnPath('rabbitmq-server', scriptFolders);
  if (script === undefined) return { absent: 'RABBITMQ_URL is not set and rabbitmq-server is not installed' };
  let running: Promise<OwnServer> | undefined;
  return {
    description: `rabbitmq-server of this machine, ${kept}`,
    lease: async () => {
      running ??= start(script);
      return lease((await running).url);
    },
    stop: async () => (await running?.catch(() => undefined))?.stop(),
  };
}

/** One server for all measurements, a queue for each. */
function lease(rabbitmqUrl: string): Leased {
  const name = sharedName();
  const remove = async (connection: amqp.ChannelModel) => (await connection.createChannel()).deleteQueue(name);
  return {
    place: { rabbitmqUrl, name },
    // What is wrong with a server that is gone, the measurement has said.
    release: () =>
      withRabbitmq(rabbitmqUrl, remove).then(
        () => undefined,
        () => undefined,
      ),
  };
}

/** @throws {Error} when there is no server */
async function withRabbitmq<T>(url: string, ask: (connection: amqp.ChannelModel) => Promise<T>): Promise<T> {
  const connection = await amqp.connect(url, { timeout: answerTimeoutMs });
  try {
    return await ask(connection);
  } finally {
    await connection.close();
  }
}

async function versionOf({ connection }: amqp.ChannelModel): Promise<string> {
  return String(connection.serverProperties.version);
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
      ERL_EPMD_PORT: String(epmdPort),
    }),
    isReady: () => withRabbitmq(url, async () => undefined),
    // A port mapper of its own, which Erlang then does not start.
    beside: ['epmd', '-address', '127.0.0.1', '-port', String(epmdPort)],
  });
}
