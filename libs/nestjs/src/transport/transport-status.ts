import type { RedisConnection } from '@millrace/redis';

/** The values of `status` of server and client. */
export type TransportStatus = 'connected' | 'disconnected' | 'reconnecting';

/** The events of `on` of server and client. */
export type TransportEvents = {
  /** Redis is connected. */
  up: () => void;
  /** Redis is away, with the reason; the connection keeps trying. */
  down: (reason: string) => void;
  /** The connection was closed. */
  closed: () => void;
  /** A warning about the server for the operator. */
  warning: (text: string) => void;
};

/** Emits every change to `status`; returns a function that ends this. */
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
