import { type Build, connectionOf, installedBuild } from '../build.js';
import type { Place } from '../place.js';
import { type OpenQueue, type OpenQueuePeer, retry } from '../queue-peer.js';

/** Ours, with its defaults. */
export const openMillraceQueue: OpenQueuePeer = async (place, name) =>
  openQueueOf(await installedBuild(), place, { name });

/** The same with metrics, as an application that is scraped has them. */
export const openMeasuredQueue: OpenQueuePeer = async (place, name) => {
  const { Metrics } = await import('@millrace/metrics');
  const build = await installedBuild();
  const events = new build.Events();
  const connection = await connectionOf(build, place);
  const metrics = new Metrics({ connection, events });
  await metrics.start();
  const queue = await queueOn(build, connection, { name, events });
  return { ...queue, close: () => metrics.stop().then(queue.close) };
};

/** A queue of a build, which may be another than the one that the bench was made with. `prefix` begins its keys. */
export async function openQueueOf(
  build: Build,
  place: Place,
  { name, prefix }: { readonly name?: string | undefined; readonly prefix?: string },
): Promise<OpenQueue> {
  return queueOn(build, await connectionOf(build, place, prefix), { name });
}

async function queueOn(
  { Broker }: Build,
  connection: InstanceType<Build['RedisConnection']>,
  { name = 'bench', events }: { readonly name?: string | undefined; readonly events?: InstanceType<Build['Events']> },
): Promise<OpenQueue> {
  const broker = new Broker(connection, events === undefined ? {} : { events });
  await broker.declareQueue({ name });
  return {
    publish: (payload) => broker.sendToQueue(name, payload),
    publishBatch: (payloads) => broker.publishBatch(payloads.map((body) => ({ exchange: '', routingKey: name, body }))),
    publishDelayed: (payload, delayMs) => broker.sendToQueue(name, payload, { delayMs }),
    consume: async (handler, { concurrency }) => {
      const consumer = broker.consumer({
        queue: name,
        handler: (payload) => handler(payload as Parameters<typeof handler>[0]),
        concurrency,
        retry: { maxRetries: retry.retries, backoff: retry.delayMs },
      });
      await consumer.start();
      return { stop: () => consumer.stop() };
    },
    close: async () => {
      await broker.close();
      await connection.close();
    },
  };
}
