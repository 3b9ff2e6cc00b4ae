import { Redis } from 'ioredis';
import type { OpenLogPeer } from '../log-peer.js';
import { parsePayload } from '../payload.js';
import { urlOf } from '../place.js';
import type { QueueHandler } from '../queue-peer.js';

const group = 'bench';
const count = 500;
// What is stopped waits so long at most: after each trial of a backlog.
const blockMs = 100;

/**
 * The plain way: a stream a partition, an entry a record, XREADGROUP of up to 500 entries, handled one after the other as
 * their order wants, and one XACK for all of them.
 */
export const openIoredisStream: OpenLogPeer = async (place, { partitions = 1 } = {}) => {
  const url = urlOf(place, 'redis');
  const redis = new Redis(url);
  const streams = Array.from({ length: partitions }, (_, partition) => `bench:${partition}`);
  for (const stream of streams) await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  let next = 0;
  const streamOfNext = () => streams[next++ % partitions] ?? '';
  return {
    publish: (payload) => redis.xadd(streamOfNext(), '*', 'v', JSON.stringify(payload)),
    publishBatch: async (payloads) => {
      const pipeline = redis.pipeline();
      const stream = streamOfNext();
      for (const payload of payloads) pipeline.xadd(stream, '*', 'v', JSON.stringify(payload));
      const [failure] = (await pipeline.exec())?.flatMap(([error]) => error ?? []) ?? [];
      if (failure !== undefined) throw failure;
    },
    consume: async (handler) => {
      const run = { reading: new Redis(url), streams, handler, isStopping: false };
      const loop = readAndAcknowledge(run);
      return {
        stop: async () => {
          run.isStopping = true;
          await loop;
          run.reading.disconnect();
        },
      };
    },
    close: async () => redis.disconnect(),
  };
};

interface Run {
  readonly reading: Redis;
  readonly streams: readonly string[];
  readonly handler: QueueHandler;
  isStopping: boolean;
}

type Entries = readonly (readonly [id: string, fields: readonly [string, string]])[];
type Reply = readonly (readonly [stream: string, entries: Entries])[] | null;

async function readAndAcknowledge(run: Run): Promise<void> {
  const { reading, streams } = run;
  const newest = streams.map(() => '>');
  while (!run.isStopping) {
    const reply = (await reading.xreadgroup(
      'GROUP',
      group,
      'me',
      'COUNT',
      count,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...streams,
      ...newest,
    )) as Reply;
    for (const [stream, entries] of reply ?? []) {
      for (const [, fields] of entries) {
        const pending = run.handler(parsePayload(fields[1]));
        if (pending !== undefined) await pending;
      }
      await reading.xack(stream, group, ...entries.map(([id]) => id));
    }
  }
}
