import { connect } from 'node:net';
import type { ConnectionOptions } from './connection-options.js';

/**
 * How long TLS may take before it is asked whether the port speaks it at all. A server that does not says nothing to the first
 * bytes of TLS: it waits for the end of what it takes for a command.
 */
export const plainPortAfterMs = 1000;

/** The server answers without TLS where it was to be reached over TLS. */
export class NoTlsError extends Error {
  constructor() {
    super('it answers without TLS');
  }
}

/** Whether the address that TLS is wanted for answers without it; false also when nothing answers within the time. */
export function isPlainPort(options: ConnectionOptions, timeoutMs: number): Promise<boolean> {
  const address = tlsAddress(options);
  if (address === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: timeoutMs });
    const end = (isPlain: boolean): void => {
      socket.destroy();
      resolve(isPlain);
    };
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (reply) => end(['+', '-'].includes(String.fromCharCode(reply[0] ?? 0))));
    for (const event of ['error', 'close', 'timeout']) socket.on(event, () => end(false));
  });
}

/** Where TLS is spoken to first; undefined where it is not wanted. */
function tlsAddress({ url, tls, cluster, sentinel }: ConnectionOptions): { host: string; port: number } | undefined {
  const isTls = tls !== undefined || url?.startsWith('rediss:') === true;
  if (!isTls) return undefined;
  if (url === undefined) return (cluster ?? sentinel)?.nodes[0];
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
}
