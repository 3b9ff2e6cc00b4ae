const two = 'test/metrics/two-processes-do-not-double-a-gauge.spec.ts';
const lag = 'test/metrics/lag-is-produced-minus-committed.spec.ts';
const gone = 'test/metrics/series-go-with-what-they-are-of.spec.ts';
const bounded = 'test/metrics/series-are-bounded.spec.ts';

/** What Prometheus is given. */
export default {
  area: 'metrics',
  mutants: [
    {
      promise: 'what is reported together is not forgotten with what was deleted',
      file: 'libs/metrics/src/gone-sources.ts',
      replace: `counts.names().filter((name) => name !== others)`,
      by: 'counts.names()',
      spec: bounded,
    },
    {
      promise: 'what has no series by name is in the sum',
      file: 'libs/metrics/src/bounded-series.ts',
      replace: `else rest.push(one.value);`,
      by: '',
      spec: bounded,
    },
    {
      promise: 'counts by name are bounded',
      file: 'libs/metrics/src/roster.ts',
      replace: `this.#asked.size + this.#kept.size < this.#max`,
      by: 'true',
      spec: bounded,
    },
    {
      promise: 'what is deleted gives its series to others',
      file: 'libs/metrics/src/roster.ts',
      replace: `    this.#kept = this.#asked;
    this.#asked = new Set();
`,
      by: '',
      spec: bounded,
    },
    {
      promise: 'a process that stops leaves the reading to the next',
      file: 'libs/metrics/src/sampler.ts',
      replace: `    await leaveElection(this.#connection.commands, this.#connection.prefix, this.#id).catch(() => undefined);\n`,
      by: '',
      spec: two,
    },
    {
      promise: 'a standby that stops leaves the elected one its lease',
      file: 'libs/metrics/src/store/election.ts',
      replace: `return redis.call('GET', lease) == me and redis.call('DEL', lease) or 0`,
      by: `return redis.call('DEL', lease)`,
      spec: two,
    },
    {
      promise: 'one process reads for all',
      file: 'libs/metrics/src/store/election.ts',
      replace: `if owner and owner ~= me then return 0 end`,
      by: '',
      spec: two,
    },
    {
      promise: 'the election ends with its lease',
      file: 'libs/metrics/src/store/election.ts',
      replace: `redis.call('SET', lease, me, 'PX', leaseMs)`,
      by: `redis.call('SET', lease, me)`,
      spec: two,
    },
    {
      promise: 'a process that is not scraped does not hold the election',
      file: 'libs/metrics/src/sampler.ts',
      replace: `const isScraped = performance.now() - this.#scrapedAt < this.#options.idleAfterMs;`,
      by: `const isScraped = true;`,
      spec: two,
    },
    {
      promise: 'lag is never negative',
      file: 'libs/admin/src/model/snapshot.ts',
      replace: `return Math.max(0, end - Math.max(committed, start));`,
      by: `return end - Math.max(committed, start);`,
      spec: lag,
    },
    {
      promise: 'lag counts what can still be read',
      file: 'libs/admin/src/model/snapshot.ts',
      replace: `return Math.max(0, end - Math.max(committed, start));`,
      by: `return Math.max(0, end - committed);`,
      spec: lag,
    },
    {
      promise: 'ages of several queues are not summed',
      file: 'libs/metrics/src/queue-metrics.ts',
      replace: `    ({ oldestAgeMs = 0 }) => oldestAgeMs / 1000,
    highest,`,
      by: `    ({ oldestAgeMs = 0 }) => oldestAgeMs / 1000,`,
      spec: 'test/metrics/ages-of-queues-are-not-summed.spec.ts',
    },
    {
      promise: 'counts of a source end when it is deleted',
      file: 'libs/metrics/src/gone-sources.ts',
      replace: `if (!isSourceThere(sources, name)) counts.forget(name);`,
      by: `if (false) counts.forget(name);`,
      spec: gone,
    },
    {
      promise: 'counts of a source stay while it is there',
      file: 'libs/metrics/src/gone-sources.ts',
      replace: `if (!isSourceThere(sources, name)) counts.forget(name);`,
      by: `counts.forget(name);`,
      spec: gone,
    },
    {
      promise: 'a scrape ends by its deadline',
      file: 'libs/metrics/src/sampler.ts',
      replace: `const sample = await within(look, this.#options.scrapeTimeoutMs);`,
      by: `const sample: Sample | undefined = await look;`,
      spec: 'test/metrics/a-scrape-while-redis-is-away-answers.spec.ts',
    },
    {
      promise: 'a scrape that has no time to read every queue reports it',
      file: 'libs/metrics/src/sampler.ts',
      replace: `    this.#reportLate();\n`,
      by: '',
      spec: 'test/metrics/a-scrape-while-redis-is-away-answers.spec.ts',
    },
  ],
};
