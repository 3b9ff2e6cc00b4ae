import { Random } from './random.js';

/** What is done to each kind of servers. Only one server has a proxy: the clients of the others dial the addresses that they are told. */
export const faultKinds = {
  one: [
    'kill-consumer',
    'freeze-consumer',
    'kill-producer',
    'freeze-producer',
    'kill-redis',
    'freeze-redis',
    'restart-redis',
    'cut-connections',
    'cut-before-reply',
    'script-flush',
    'redis-full',
    'latency',
    'rolling-restart',
    'add-partition',
    'block-consumer',
    'throw-in-consumer',
    // Not where a failover may undo the deletion.
    'recreate-topic',
  ],
  cluster: [
    'kill-consumer',
    'freeze-consumer',
    'block-consumer',
    'throw-in-consumer',
    'kill-producer',
    'freeze-producer',
    'fail-over',
    'freeze-redis',
    'restart-redis',
    'cut-connections',
    'script-flush',
    'redis-full',
    'rolling-restart',
    'add-partition',
    'move-slot',
  ],
  // No 'script-flush': the server that takes over knows no script either.
  sentinel: [
    'kill-consumer',
    'freeze-consumer',
    'block-consumer',
    'throw-in-consumer',
    'kill-producer',
    'freeze-producer',
    'fail-over',
    'unseen-fail-over',
    'stale-primary',
    'freeze-redis',
    'restart-redis',
    'kill-replica',
    'freeze-replica',
    'kill-sentinel',
    'freeze-sentinel',
    'cut-connections',
    'redis-full',
    'rolling-restart',
    'add-partition',
  ],
} as const;

/** One server, a cluster, or a primary and its replicas behind Sentinel. */
export type Servers = keyof typeof faultKinds;

export type FaultKind = (typeof faultKinds)[Servers][number];

/** One fault that will be done. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** When it begins, in ms from the start of the load. */
  readonly atMs: number;
  /** How long it lasts, in ms. 0: it is over as soon as it is done. */
  readonly forMs: number;
  /** At least 0, below 1: which of those that can be chosen. */
  readonly choice: number;
}

/** How long each kind lasts, in ms. Around a lease of two seconds: some freezes outlast it, some do not. */
const durations: Partial<Record<FaultKind, readonly [number, number]>> = {
  'freeze-consumer': [300, 5000],
  'freeze-producer': [300, 4000],
  'block-consumer': [300, 5000],
  'throw-in-consumer': [500, 3000],
  'kill-redis': [0, 1500],
  'freeze-redis': [200, 3500],
  'redis-full': [500, 3000],
  latency: [1000, 4000],
  'fail-over': [0, 1000],
  'unseen-fail-over': [0, 2000],
  'stale-primary': [0, 1000],
  'kill-replica': [0, 2000],
  'freeze-replica': [200, 3000],
  'kill-sentinel': [0, 3000],
  'freeze-sentinel': [300, 4000],
};

/** Nothing is done in the first moments, so that there is something to break. */
const firstAtMs = 1500;
const pausesMs = [1000, 3700] as const;

/**
 * Draws what will be done in `seconds`: the same seed and length give the same faults at the same times. Every kind
 * comes once before one comes again, so that a minute has them all.
 */
export function drawFaults(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly servers: Servers;
}): PlannedFault[] {
  const random = new Random(options.seed);
  const kinds: readonly FaultKind[] = faultKinds[options.servers];
  const faults: PlannedFault[] = [];
  let bag: FaultKind[] = [];
  for (let atMs = firstAtMs; atMs < options.seconds * 1000; atMs += random.integer(...pausesMs)) {
    if (bag.length === 0) bag = random.shuffled(kinds);
    const kind = bag.pop()!;
    const [min, max] = durations[kind] ?? [0, 0];
    faults.push({ kind, atMs, forMs: random.integer(min, max), choice: random.next() });
  }
  return faults;
}

/** How often each kind is in the plan. */
export function countFaults(faults: readonly { readonly kind: FaultKind }[]): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
