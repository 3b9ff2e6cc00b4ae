const broker = 'test/queue/a-broker-leaves-nothing-behind.spec.ts';
const log = 'test/log/a-log-leaves-nothing-behind.spec.ts';
const metrics = 'test/metrics/metrics-leave-nothing-behind.spec.ts';

/** What a service must take with it when it ends: listeners, connections, timers, keys. */
export default {
  area: 'everywhere',
  mutants: [
    {
      promise: 'a queue consumer that has stopped listens to no connection: its turns',
      file: 'libs/queue/src/turns/turn-loop.ts',
      replace: `    this.#connection.off('up', this.#tryAgain);\n`,
      by: '',
      spec: broker,
    },
    {
      promise: 'a queue consumer that has stopped listens to no connection: its heartbeats',
      file: 'libs/queue/src/session/heartbeat-loop.ts',
      replace: `    this.#connection.off('up', this.#reconnected);\n`,
      by: '',
      spec: broker,
    },
    {
      promise: 'a queue consumer that has stopped gives its connection back',
      file: 'libs/queue/src/session/wake-listener.ts',
      replace: `    if (this.#client !== undefined) this.#connection.release(this.#client);\n`,
      by: '',
      spec: broker,
    },
    {
      promise: 'a broker that is closed listens to no connection',
      file: 'libs/queue/src/broker.ts',
      replace: `    this.#connection.off('closed', this.#onConnectionClosed);\n`,
      by: '',
      spec: broker,
    },
    {
      promise: 'a request that has its reply leaves nothing in Redis',
      file: 'libs/queue/src/store/replies.ts',
      replace: `  await client.hdel(keys.consumed, correlationId);\n`,
      by: '',
      spec: broker,
    },
    {
      promise: 'a log that is closed listens to no connection',
      file: 'libs/log/src/log.ts',
      replace: `    this.#connection.off('closed', this.#onConnectionClosed);\n`,
      by: '',
      spec: log,
    },
    {
      promise: 'a log consumer that has stopped listens to no connection',
      file: 'libs/log/src/group/group-consumer.ts',
      replace: `    this.#dependencies.connection.off('up', this.#onUp);\n`,
      by: '',
      spec: log,
    },
    {
      promise: 'a log consumer that has stopped has no timer',
      file: 'libs/log/src/group/ownership.ts',
      replace: `    clearInterval(this.#watch);\n`,
      by: '',
      spec: log,
    },
    {
      promise: 'a log consumer that has stopped gives its connection back',
      file: 'libs/log/src/reader/batch-reader.ts',
      replace: `    if (this.#client !== undefined) this.#connection.release(this.#client);\n`,
      by: '',
      spec: log,
    },
    {
      promise: 'a reading that is left gives its connection back',
      file: 'libs/log/src/reader/batch-fetch.ts',
      replace: `    if (this.#blocking !== undefined) this.#connection.release(this.#blocking);\n`,
      by: '',
      spec: log,
    },
    {
      promise: 'metrics that have stopped listen to nothing',
      file: 'libs/metrics/src/listeners.ts',
      replace: `    for (const remove of this.#removals.splice(0)) remove();\n`,
      by: '',
      spec: metrics,
    },
  ],
};
