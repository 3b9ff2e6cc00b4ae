import type { RedisConnection } from '@millrace/redis';

/** What `status` of server and client says. */
export type TransportStatus = 'connected' | 'disconnected' | 'reconnecting';

/** What `on` of server and client can be told to listen to. */
export type TransportEvents = {
  /** Redis is there. */
  up: () => void;
  /** Redis is away, and why; it is tried again all the time. */
  down: (reason: string) => void;
  /** The connection was closed for good. */
  closed: () => void;
  /** Something about the server that an operator should know. */
  warning: (text: string) => void;
};

/** Tells `status` of every change; answers what ends that. */
export function watchConnection(
  connection: RedisConnection,
  status: { next(status: TransportStatus): void },
): () => void {
  const up = (): void => status.next('connected');
  const down = (): void => status.next(connection.isClosed ? 'disconnected' : 'reconnecting');
  const closed = (): void => status.next('disconnected');
  connection.on('up', up).on('down', down).on('closed', closed);
  status.next(connection.isUp ? 'connected' : 'disconnected');
  return () => void connection.off('up', up).off('down', down).off('closed', closed);
}
