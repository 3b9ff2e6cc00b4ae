import type { Topology } from '@millrace/queue';
import type { Place } from '../place.js';
import type { Sample, Scenario } from '../scenario.js';

const name = 'routing.match';
const bindings = 10_000;
const queues = 1_000;
const keys = 100_000;

/** In the process alone: no server. */
export const routingMatch: Scenario = {
  name,
  what: `a routing key that was not seen lately is matched against ${bindings.toLocaleString('en-US')} bindings of a topic exchange`,
  results: [{ name, unit: 'µs/message', better: 'less', targets: { ours: { atMost: 10 }, regexp: { atMost: 0.05 } } }],
  subjects: {
    millrace: async (place) => {
      const { Router } = await import('@millrace/queue');
      const router = new Router(topology());
      return time(place, (routingKey) => router.route('events', { routingKey, headers: {} }).queues.length);
    },
    // The usual way by hand: each pattern made into a regular expression, all of them tried.
    regexp: async (place) => {
      const matchers = makePatterns().map((pattern, index) => ({
        queue: `q${index % queues}`,
        regexp: toRegExp(pattern),
      }));
      return time(place, (key) => {
        const found = new Set<string>();
        for (const { queue, regexp } of matchers) if (regexp.test(key)) found.add(queue);
        return found.size;
      });
    },
  },
};

const kinds = ['created', 'paid', 'shipped', 'returned'];

/** Of each ten: seven are exact, two have a `*`, one ends in `#`. */
function makePatterns(): string[] {
  return Array.from({ length: bindings }, (_, index) => patternOf(index));
}

function patternOf(index: number): string {
  const region = `r${index % 50}`;
  const shop = `s${index}`;
  if (index % 10 === 9) return `${region}.${shop}.#`;
  if (index % 10 >= 7) return `*.${shop}.order.${kinds[index % 4]}`;
  return `${region}.${shop}.order.${kinds[index % 4]}`;
}

/** More keys than the router remembers routes for. */
function keyOf(index: number): string {
  const shop = (index * 7919) % bindings;
  return `r${shop % 50}.s${shop}.order.${kinds[(index >> 3) % 4]}`;
}

async function time({ windowMs, warmUpMs }: Place, route: (key: string) => number): Promise<Sample> {
  let count = 0;
  let reached = 0;
  let start = performance.now();
  let isWarm = false;
  for (let index = 0; ; index = (index + 1) % keys) {
    reached += route(keyOf(index));
    count++;
    // Looking at the clock costs as much as a route.
    if (count % 16 !== 0) continue;
    const elapsed = performance.now() - start;
    if (isWarm ? elapsed > windowMs : elapsed > warmUpMs) {
      if (isWarm) break;
      isWarm = true;
      count = 0;
      start = performance.now();
    }
  }
  const seconds = (performance.now() - start) / 1000;
  if (reached === 0) throw new Error('nothing was routed: the bench measures nothing');
  return {
    values: { [name]: (seconds * 1e6) / count },
    settings: { bindings, queues, keys },
    messages: count,
    seconds,
    delivery: null,
  };
}

function topology(): Topology {
  const events = { name: 'events', type: 'topic', internal: false, autoDelete: false } as const;
  return {
    version: 1,
    exchanges: new Map([['events', events]]),
    queues: new Map(),
    bindings: new Map(
      makePatterns().map((routingKey, index) => [
        String(index),
        { source: 'events', kind: 'queue', destination: `q${index % queues}`, routingKey, arguments: {} },
      ]),
    ),
  };
}

/** Right for these patterns: a `#` stands at the end only. */
function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll('.#', '(\\..+)?')
    .replaceAll('*', '[^.]+')
    .replaceAll(/\.(?!\+)/g, '\\.');
  return new RegExp(`^${source}$`);
}
