/** Options of other libraries, with what to write here instead. */
interface NeighbourOptions {
  /** An option that only this kind of object has, by which it is recognised. */
  readonly mark: string;
  /** What to do, by the option that people know from BullMQ, Kafka clients, RabbitMQ clients or ioredis. */
  readonly advice: Readonly<Record<string, string>>;
}

const retries = 'write retry: { maxRetries: n }, which does not count the first attempt';
const backoff = "write retry: { maxRetries: n, backoff: { kind: 'exponential', delayMs: 1000 } }";
const setByMillrace = 'leave it out: Millrace sets it for each of its connections';

/** By kind of object. An option is listed where its users look for it. */
const neighbours: readonly NeighbourOptions[] = [
  {
    // A connection.
    mark: 'sentinel',
    advice: {
      host: "write url: 'redis://host:6379'",
      port: "write url: 'redis://host:6379'",
      sentinels: 'write sentinel: { name, nodes }',
      keyPrefix: 'write prefix',
      maxRetriesPerRequest: setByMillrace,
      enableReadyCheck: setByMillrace,
      lazyConnect: setByMillrace,
      retryStrategy: setByMillrace,
    },
  },
  {
    // forRoot.
    mark: 'waitForRedis',
    advice: {
      host: "write connection: { url: 'redis://host:6379' }",
      port: "write connection: { url: 'redis://host:6379' }",
      redis: "write connection: { url: 'redis://host:6379' }",
      url: "write connection: { url: 'redis://host:6379' }",
      uri: "write connection: { url: 'redis://host:6379' }",
      prefix: 'write connection: { url, prefix }',
      defaultJobOptions: 'write retry in @QueueHandler, keepCompleted in the declaration of the queue',
    },
  },
  {
    // forRoot and forFeature.
    mark: 'bindings',
    advice: {
      processors: 'write a class with @QueueHandler methods, in the providers of a module',
      name: "write queues: [{ name: 'emails' }]",
    },
  },
  {
    // A queue's declaration.
    mark: 'keepCompleted',
    advice: {
      processors: 'write a class with @QueueHandler methods, in the providers of a module',
      defaultJobOptions: 'write retry in @QueueHandler, and keepCompleted here',
      removeOnComplete: 'write keepCompleted, which keeps messages; without it none are kept',
      bindings: 'write bind: [{ exchange, routingKey }] in @QueueHandler, or bindings beside queues',
      limiter: 'write rate: { limit, intervalMs }',
    },
  },
  {
    // A consumer of a queue: @QueueHandler, broker.consumer.
    mark: 'keepResultMs',
    advice: {
      bindings: 'write bind: [{ exchange, routingKey }] in @QueueHandler, or broker.bind()',
      attempts: retries,
      backoff,
      prefetchCount: 'write prefetch',
      limiter: 'write rate: { limit, intervalMs }',
      lockDuration: 'write leaseMs',
      noAck: 'leave it out: a message is acknowledged when its handler returns',
      removeOnComplete: 'write keepCompleted in the declaration of the queue',
    },
  },
  {
    // A member of a consumer group: @LogHandler, log.consumer.
    mark: 'onOutOfRange',
    advice: {
      groupId: 'write group',
      fromBeginning: "write from: 'earliest', which is the default",
      attempts: retries,
      backoff,
      prefetchCount: 'write prefetchRecords',
      autoCommit: "write commit: 'manual', and context.commit() in the handler",
      sessionTimeout: 'write sessionTimeoutMs',
      heartbeatInterval: 'write heartbeatMs',
    },
  },
  {
    // The properties of a message.
    mark: 'shardKey',
    advice: {
      attempts: retries,
      backoff,
      jobId: 'write messageId',
      delay: 'write delayMs',
      expiration: 'write expirationMs',
      ttl: 'write expirationMs',
      persistent: 'leave it out: Redis keeps every message as its own persistence is set',
      removeOnComplete: 'write keepCompleted in the declaration of the queue',
    },
  },
];

/** `: write …`, for an option that people know from another library, when an object has the options `known`; else nothing. */
export function neighbourOption(key: string, known: readonly string[]): string {
  for (const { mark, advice } of neighbours) {
    if (known.includes(mark) && Object.hasOwn(advice, key)) return `: ${advice[key]}`;
  }
  return '';
}
