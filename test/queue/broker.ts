import { Broker, type BrokerOptions } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import type { RedisServer } from '@millrace/testing';

let count = 0;

/** A key prefix that no other test uses. */
export function ownPrefix(): string {
  return `t${process.pid}-${count++}`;
}

/** What one process would have: a connection of its own, and a Broker. */
export async function openBroker(
  server: Pick<RedisServer, 'connection'>,
  prefix: string,
  options: Partial<BrokerOptions> = {},
): Promise<{ broker: Broker; connection: RedisConnection; close(): Promise<void> }> {
  const connection = await new RedisConnection({ ...server.connection, prefix }).open();
  const broker = new Broker(connection, options);
  const close = async (): Promise<void> => {
    await broker.close();
    connection.close();
  };
  return { broker, connection, close };
}
