import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range from which Linux (32768–60999) and macOS (49152–65535) take ports for outgoing connections. Inside that range, a client
// that keeps connecting to a killed server can get its port as its own and connect to itself, and the server can then never listen on it
// again.
const lowest = 12_000;
const highest = 31_999;

/**
 * A TCP port of 127.0.0.1 on which no process listens at the moment. Another process may take it before the caller binds it: the caller
 * must then try another one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${lowest} and ${highest} on 127.0.0.1. Stop the programs that use them.`);
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
