import { Redis } from 'ioredis';
import type { OpenLogPeer } from '../log-peer.js';
import { oneCallATurn } from '../one-turn.js';
import { type Payload, parsePayload } from '../payload.js';
import { urlOf } from '../place.js';
import type { QueueHandler } from '../queue-peer.js';

// The least that a log of record batches can do, by hand: one script that takes offsets and appends what was sent in one
// turn of the event loop as one entry; XREAD from the last entry on, and a commit that travels with the next read.
// A batch is a line of JSON a record. No partitions, keys, headers, idempotence, leases, fencing, errors or reconnecting.

const appendScript = `
local offset = redis.call('HINCRBY', KEYS[2], 'end', ARGV[1])
redis.call('XADD', KEYS[1], '0-' .. offset, 'b', ARGV[2])
return offset`;

const commitScript = `
if redis.call('GET', KEYS[2]) then return 0 end
return redis.call('XGROUP', 'SETID', KEYS[1], 'bench', ARGV[1])`;

const entriesPerRead = 10;
// What is stopped waits so long at most: after each trial of a backlog.
const blockMs = 100;

export const openCeilingLog: OpenLogPeer = async (place) => {
  const url = urlOf(place, 'redis');
  const redis = new Redis(url);
  await redis.xgroup('CREATE', 'bench', 'bench', '0', 'MKSTREAM');
  const appendSha = String(await redis.script('LOAD', appendScript));
  const commitSha = String(await redis.script('LOAD', commitScript));
  const publishBatch = oneCallATurn((values: readonly Payload[]) => {
    const lines = values.map((value) => JSON.stringify(value)).join('\n');
    return redis.evalsha(appendSha, 2, 'bench', 'bench:meta', values.length, lines);
  });
  let position = '0';
  return {
    publish: (payload) => publishBatch([payload]),
    publishBatch,
    consume: async (handler) => {
      const run = { redis, reading: new Redis(url), commitSha, handler, position, isStopping: false };
      const loop = readAndCommit(run);
      return {
        stop: async () => {
          run.isStopping = true;
          await loop;
          position = run.position;
          run.reading.disconnect();
        },
      };
    },
    close: async () => redis.disconnect(),
  };
};

interface Run {
  readonly redis: Redis;
  readonly reading: Redis;
  readonly commitSha: string;
  readonly handler: QueueHandler;
  position: string;
  isStopping: boolean;
}

type Reply = readonly (readonly [stream: string, entries: readonly (readonly [string, readonly [string, string]])[]])[];

/** The next read is on its way while the last batches are handled. */
async function readAndCommit(run: Run): Promise<void> {
  const read = () =>
    run.reading.xread(
      'COUNT',
      entriesPerRead,
      'BLOCK',
      blockMs,
      'STREAMS',
      'bench',
      run.position,
    ) as Promise<Reply | null>;
  let coming = read();
  while (!run.isStopping) {
    const entries = (await coming)?.[0]?.[1] ?? [];
    run.position = entries.at(-1)?.[0] ?? run.position;
    coming = read();
    for (const [, [, lines]] of entries) {
      for (const line of lines.split('\n')) {
        const pending = run.handler(parsePayload(line));
        if (pending !== undefined) await pending;
      }
    }
    if (entries.length > 0) run.redis.evalsha(run.commitSha, 2, 'bench', 'bench:fence', run.position).catch(() => {});
  }
  await coming;
}
