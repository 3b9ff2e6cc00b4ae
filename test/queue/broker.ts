import { Broker, type BrokerOptions } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';

let count = 0;

/** A key prefix that no other test uses. */
export function ownPrefix(): string {
  return `t${process.pid}-${count++}`;
}

/** What one process would have: a connection of its own, and a Broker. */
export interface OpenBroker {
  readonly broker: Broker;
  readonly connection: RedisConnection;
  close(): Promise<void>;
}

export async function openBroker(
  server: { readonly connection: ConnectionInput },
  prefix: string,
  options: Partial<BrokerOptions> = {},
): Promise<OpenBroker> {
  const connection = await new RedisConnection({ ...server.connection, prefix }).open();
  const broker = new Broker(connection, options);
  const close = async (): Promise<void> => {
    await broker.close();
    connection.close();
  };
  return { broker, connection, close };
}

/** The names of the commands that are sent over the connection from now on. */
export function commandsOf({ commands: client }: RedisConnection): readonly string[] {
  const names: string[] = [];
  const sendCommand = client.sendCommand.bind(client);
  client.sendCommand = (command: Parameters<typeof sendCommand>[0], stream?: never) => {
    names.push(command.name);
    return sendCommand(command, stream);
  };
  return names;
}
