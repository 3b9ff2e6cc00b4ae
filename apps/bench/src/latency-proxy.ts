import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

interface Plan {
  readonly targetUrl: string;
  readonly delayMs: number;
}

/**
 * A network with a longer round trip, in a thread of its own: what the server sends is handed on `delayMs` later (and up
 * to a timer's millisecond more). The fault proxy of @millrace/testing takes commands apart, which costs too much here.
 */
export async function startLatencyProxy(plan: Plan): Promise<{ readonly url: string }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: plan });
  worker.unref();
  const [port] = await once(worker, 'message');
  return { url: `redis://127.0.0.1:${String(port)}` };
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(await serve(workerData as Plan));

async function serve({ targetUrl, delayMs }: Plan): Promise<number> {
  const { hostname, port } = new URL(targetUrl);
  const server = createServer((client) => {
    const target = connect(Number(port), hostname);
    for (const socket of [client, target]) socket.setNoDelay(true).on('error', () => {});
    client.on('data', (bytes) => target.write(bytes)).on('close', () => target.destroy());
    handOnLater(target, client, delayMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function handOnLater(from: Socket, to: Socket, delayMs: number): void {
  const waiting: { readonly bytes: Buffer; readonly dueAt: number }[] = [];
  const flush = (): void => {
    const now = performance.now();
    while (waiting[0] !== undefined && waiting[0].dueAt <= now) to.write(waiting.shift()?.bytes ?? '');
    if (waiting[0] !== undefined) setTimeout(flush, waiting[0].dueAt - now);
  };
  from.on('data', (bytes) => {
    if (waiting.push({ bytes, dueAt: performance.now() + delayMs }) === 1) setTimeout(flush, delayMs);
  });
  from.on('close', () => to.destroySoon());
}
