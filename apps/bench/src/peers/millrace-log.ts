import { type Build, connectionOf, installedBuild } from '../build.js';
import type { LogLayout, OpenLog, OpenLogPeer } from '../log-peer.js';
import type { Payload } from '../payload.js';
import type { Place } from '../place.js';

const topic = 'bench';

/** Ours, with its defaults. */
export const openMillraceLog: OpenLogPeer = async (place, layout) =>
  openLogOf(await installedBuild(), place, { layout });

/** The same with metrics, as an application that is scraped has them. */
export const openMeasuredLog: OpenLogPeer = async (place, layout) => {
  const { Metrics } = await import('@millrace/metrics');
  const build = await installedBuild();
  const events = new build.Events();
  const connection = await connectionOf(build, place);
  const metrics = new Metrics({ connection, events });
  await metrics.start();
  const log = await logOn(build, connection, { layout, events });
  return { ...log, close: () => metrics.stop().then(log.close) };
};

/** A log of a build, which may be another than the one that the bench was made with. `prefix` begins its keys. */
export async function openLogOf(
  build: Build,
  place: Place,
  { layout, prefix }: { readonly layout?: LogLayout | undefined; readonly prefix?: string },
): Promise<OpenLog> {
  return logOn(build, await connectionOf(build, place, prefix), { layout });
}

interface LogOptions {
  readonly layout?: LogLayout | undefined;
  readonly events?: InstanceType<Build['Events']>;
}

async function logOn(
  { Log }: Build,
  connection: InstanceType<Build['RedisConnection']>,
  { layout: { partitions = 1, keyOf, compression = 'none' } = {}, events }: LogOptions,
): Promise<OpenLog> {
  const log = new Log(connection, events === undefined ? {} : { events });
  await log.declareTopic({ name: topic, partitions, compression });
  const producer = log.producer();
  const record = (value: Payload) => (keyOf === undefined ? { topic, value } : { topic, value, key: keyOf(value) });
  return {
    publish: (payload) => producer.send(record(payload)),
    publishBatch: (payloads) => producer.sendBatch(payloads.map(record)),
    consume: async (handler, { concurrency }) => {
      const consumer = log.consumer({
        group: 'bench',
        topics: topic,
        concurrency,
        handler: (payload) => handler(payload as Payload),
      });
      await consumer.start();
      return { stop: () => consumer.stop() };
    },
    close: async () => {
      await log.close();
      await connection.close();
    },
  };
}
