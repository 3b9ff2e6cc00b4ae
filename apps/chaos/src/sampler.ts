import type { Log } from '@millrace/log';
import { groupPartitionKey, partitionKeys } from '@millrace/log';
import { queueKeys } from '@millrace/queue';
import { asInteger, asList, asText, type RedisConnection } from '@millrace/redis';
import { machineClock } from './journal.js';
import { group, queues, topic } from './load.js';
import type { PartitionSample, QueueSample } from './model/observation.js';

// KEYS 1 state, of which the others' names are made  RETURNS what `QueueSample` holds, in one moment
const queueScript = `
local base = KEYS[1]:sub(1, -6)
local function call(command, name, ...) return redis.call(command, base .. name, ...) end
local unacked = {}
local function held(consumer) unacked[#unacked + 1] = consumer; unacked[#unacked + 1] = call('SCARD', 'unacked:' .. consumer) end
for _, consumer in ipairs(call('ZRANGE', 'consumers', 0, -1)) do held(consumer) end
for _, consumer in ipairs(call('SMEMBERS', 'dead')) do held(consumer) end
local ready = call('ZCARD', 'offered') - (call('HGET', 'state', 'stale') or 0)
for _, list in ipairs({'ready', 'front', 'kept'}) do ready = ready + call('LLEN', list) end
return {call('HLEN', 'messages'), ready, call('ZCARD', 'delayed'), call('ZCARD', 'parked'), call('ZCARD', 'ended'),
  call('ZCARD', 'completed'), call('HLEN', 'completed-messages'), unacked}`;

// KEYS 1 meta 2 records 3 the group's hash
const partitionScript = `
local meta = redis.call('HMGET', KEYS[1], 'start', 'end')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
return {tonumber(meta[1] or 0), tonumber(meta[2] or 0), last and tonumber(last[1]:match('%d+$')) or -1,
  tonumber(redis.call('HGET', KEYS[3], 'committed') or 0)}`;

const everyMs = 250;

/** Looks into Redis again and again, each queue and partition in one script, and writes down what it sees. */
export class Sampler {
  readonly queueSamples: QueueSample[] = [];
  readonly partitionSamples: PartitionSample[] = [];
  readonly #connection: RedisConnection;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: RedisConnection, log: Log) {
    this.#connection = connection;
    this.#log = log;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      // While Redis is away there is nothing to see.
      void this.sample()
        .catch(() => undefined)
        .then(() => this.#timer !== undefined && this.start());
    }, everyMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async sample(): Promise<void> {
    const { partitions } = (await this.#log.listTopics()).find(({ name }) => name === topic) ?? { partitions: 0 };
    await Promise.all([
      ...queues.map((queue) => this.#sampleQueue(queue)),
      ...Array.from({ length: partitions }, (_, partition) => this.#samplePartition(partition)),
    ]);
  }

  async #sampleQueue(queue: string): Promise<void> {
    const { commands, prefix } = this.#connection;
    const reply = asList(await commands.eval(queueScript, 1, queueKeys(prefix, queue).state));
    const [messages = 0, ready = 0, delayed = 0, parked = 0, dying = 0, completed = 0, completedFields = 0] = reply
      .slice(0, 7)
      .map(asInteger);
    const pairs = asList(reply[7]);
    const unacked: Record<string, number> = {};
    for (let index = 0; index < pairs.length; index += 2) unacked[asText(pairs[index])] = asInteger(pairs[index + 1]);
    const counts = { messages, ready, delayed, unacked, parked, dying, completed, completedFields };
    this.queueSamples.push({ at: machineClock(), queue, ...counts });
  }

  async #samplePartition(partition: number): Promise<void> {
    const { commands, prefix } = this.#connection;
    const { meta, records } = partitionKeys(prefix, topic, partition);
    const groupKey = groupPartitionKey(prefix, topic, partition, group);
    const [start = 0, end = 0, last = 0, committed = 0] = asList(
      await commands.eval(partitionScript, 3, meta, records, groupKey),
    ).map(asInteger);
    this.partitionSamples.push({ topic, partition, start, end, lastEntry: last < 0 ? end : last, committed });
  }
}
