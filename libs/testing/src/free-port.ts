import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which Linux (32768–60999) and macOS (49152–65535) take ports for outgoing connections. Inside
// it, a client that keeps dialling a killed server can be given that very port and connect to itself, and the server
// can then never come back on it.
const lowest = 12_000;
const highest = 31_999;

/**
 * A TCP port of 127.0.0.1 that nobody listens on at this moment. Another process may take it before the caller
 * does: who binds it must be ready to ask again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${lowest} and ${highest} on 127.0.0.1. Close what occupies them.`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
