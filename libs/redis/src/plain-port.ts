import { connect } from 'node:net';
import type { ConnectionOptions } from './connection-options.js';

/**
 * How long a TLS handshake may take before the port is checked for plain text. A server without TLS does not reply to the first bytes of
 * a handshake: it waits for the end of what looks like a command.
 */
export const plainPortAfterMs = 1000;

/** The server replied without TLS although TLS is configured. */
export class NoTlsError extends Error {
  constructor() {
    super('it replies without TLS');
  }
}

/** Whether the address that TLS is configured for replies without TLS; false also when nothing replies in time. */
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

/** The first address to which TLS is used; undefined without TLS. */
function tlsAddress({ url, tls, cluster, sentinel }: ConnectionOptions): { host: string; port: number } | undefined {
  const isTls = tls !== undefined || url?.startsWith('rediss:') === true;
  if (!isTls) return undefined;
  if (url === undefined) return (cluster ?? sentinel)?.nodes[0];
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
}
