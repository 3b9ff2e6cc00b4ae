import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { BehindSentinel } from './behind-sentinel.js';
import { Crew } from './crew.js';
import { deleteAll, drain, leftoverKeys, readAll, staleEntries } from './ending.js';
import { FaultRunner } from './fault-runner.js';
import { machineClock, readJournals } from './journal.js';
import {
  boundedQueue,
  crowdQueue,
  exchange,
  group,
  initialPartitions,
  keepCompleted,
  leaseMs,
  lineQueue,
  maxLength,
  prefetch,
  shortLivedTopic,
  topic,
  twinDeadLetters,
  twinQueues,
  workQueue,
} from './load.js';
import type { Evidence, FinalState } from './model/evidence.js';
import { drawFaults } from './model/fault-plan.js';
import { Observer } from './observer.js';
import { OneServer } from './one-server.js';
import type { ChaosOptions } from './options.js';
import { Sampler } from './sampler.js';
import type { Stage } from './stage.js';
import { WholeCluster } from './whole-cluster.js';

/** What a run leaves behind, for the checker and for a person who looks into it. */
export interface RunResult {
  readonly evidence: Evidence;
  readonly missedFaults: readonly string[];
  readonly forcedEnds: readonly string[];
  /** Processes that ended without having been told to. */
  readonly crashes: readonly string[];
  /** Kept when asked for. */
  readonly journalFolder: string;
}

const crewSizes = { producer: 2, consumer: 3 };
/** In this time after the last fault everybody has to be at work again: a lease may have to run out. */
const settleMs = leaseMs + 3000;

/** One run: servers, processes, load, faults, and in the end everything that was seen. */
export async function run(options: ChaosOptions, tell: (line: string) => void): Promise<RunResult> {
  const observer = new Observer(group);
  const stage = await startStage(options, () => observer.beginNewLives());
  const journalFolder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  try {
    return await connected(stage, async (hands) => {
      await declare(hands);
      for (const server of stage.servers) observer.watch(server);
      return underLoad({ options, stage, observer, journalFolder, hands, tell });
    });
  } finally {
    observer.stop();
    if (options.keepsJournals) keepLogs(stage, journalFolder);
    await stage.stop();
    if (!options.keepsJournals) rmSync(journalFolder, { recursive: true, force: true });
  }
}

function startStage({ servers }: ChaosOptions, onNewLives: () => void): Promise<Stage> {
  switch (servers) {
    case 'one':
      return OneServer.start();
    case 'cluster':
      return WholeCluster.start(onNewLives);
    case 'sentinel':
      return BehindSentinel.start(onNewLives);
  }
}

/** What the servers printed says why a promise was broken. */
function keepLogs({ servers, sentinels }: Stage, folder: string): void {
  for (const server of servers) writeFileSync(join(folder, `redis-${server.port}.log`), server.log);
  for (const sentinel of sentinels) writeFileSync(join(folder, `sentinel-${sentinel.port}.log`), sentinel.log);
}

/** What the run itself works with. */
interface Hands {
  readonly connection: RedisConnection;
  readonly log: Log;
  readonly broker: Broker;
}

/** Over a connection of its own, which is closed afterwards. */
async function connected<T>(stage: Stage, work: (hands: Hands) => Promise<T>): Promise<T> {
  const connection = await new RedisConnection(stage.direct).open();
  const [log, broker] = [new Log(connection), new Broker(connection)];
  try {
    return await work({ connection, log, broker });
  } finally {
    await Promise.all([log.close(), broker.close()]).catch(() => undefined);
    connection.close();
  }
}

interface Scene {
  readonly options: ChaosOptions;
  readonly stage: Stage;
  readonly observer: Observer;
  readonly journalFolder: string;
  readonly hands: Hands;
  readonly tell: (line: string) => void;
}

async function underLoad(scene: Scene): Promise<RunResult> {
  const { options, stage, observer, journalFolder, hands, tell } = scene;
  const crew = new Crew(crewSizes, (name) => ({
    name,
    journalFolder,
    connection: stage.connection,
    rate: options.rate / 2 / crewSizes.producer,
    minReplicas: stage.minReplicas,
    isLone: name.startsWith('consumer-0.'),
  }));
  const sampler = new Sampler(hands.connection, hands.log);
  try {
    await crew.start();
    sampler.start();
    const runner = new FaultRunner(stage, crew, hands.log);
    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    await runner.run(drawFaults(options), ({ kind, forMs }) =>
      tell(`${seconds()} s: ${kind}${forMs > 0 ? ` for ${forMs} ms` : ''}`),
    );
    await sleep(Math.max(0, options.seconds * 1000 - (performance.now() - began)));
    tell(`${seconds()} s: the faults are over`);
    await stage.heal();
    const [healedAt, present] = [machineClock(), crew.processNames];
    await sleep(settleMs);
    // Whether the run's own connection has come back is nothing that the end may depend on.
    const final = await connected(stage, (fresh) => ending(fresh, stage, crew, sampler));
    tell(`${seconds()} s: ended`);
    const evidence: Evidence = {
      journal: readJournals(journalFolder),
      observations: observer.observations,
      queueSamples: sampler.queueSamples,
      partitionSamples: sampler.partitionSamples,
      faults: runner.done,
      crew: present,
      healedAt,
      final,
      limits: {
        prefetch,
        ready: { [boundedQueue]: maxLength + 2 * crewSizes.consumer * prefetch[boundedQueue] },
        completed: { [workQueue]: keepCompleted[workQueue].count },
      },
      mayLoseUnconfirmed: stage.mayLoseUnconfirmed,
    };
    return { evidence, missedFaults: runner.missed, forcedEnds: crew.forcedEnds, crashes: crew.crashes, journalFolder };
  } finally {
    sampler.stop();
    await crew.stop();
  }
}

/** No new load; all of it is handled; what is there is read; everything is deleted; what is left is read. */
async function ending(
  { connection, log, broker }: Hands,
  stage: Stage,
  crew: Crew,
  sampler: Sampler,
): Promise<FinalState> {
  await crew.endAll(crew.producers);
  const undrained = await drain(log, broker);
  sampler.stop();
  await sampler.sample().catch(() => undefined);
  await crew.endAll(crew.consumers);
  const stale = await staleEntries(connection);
  const found = await readAll(log, broker);
  await deleteAll(log, broker);
  return { ...found, stale, undrained, leftoverKeys: await leftoverKeys(stage.servers) };
}

async function declare({ log, broker }: Hands): Promise<void> {
  await log.declareTopic({ name: topic, partitions: initialPartitions });
  await log.declareTopic({ name: shortLivedTopic, partitions: 2 });
  await broker.declare({
    exchanges: [{ name: exchange, type: 'topic' }],
    queues: [
      { name: workQueue, keepCompleted: keepCompleted[workQueue] },
      { name: boundedQueue, maxLength, overflow: 'reject-publish' },
      { name: lineQueue },
      { name: crowdQueue },
      { name: twinDeadLetters },
      ...twinQueues.map((name) => ({
        name,
        deadLetter: { queue: twinDeadLetters },
        keepCompleted: name === 'left' ? keepCompleted[name] : undefined,
      })),
    ],
    bindings: [
      { exchange, queue: lineQueue, routingKey: lineQueue },
      ...twinQueues.map((queue) => ({ exchange, queue, routingKey: 'twins' })),
      { exchange, queue: workQueue, routingKey: `${workQueue}.#` },
      { exchange, queue: boundedQueue, routingKey: `${boundedQueue}.#` },
      ...[workQueue, boundedQueue].map((queue) => ({ exchange, queue, routingKey: 'both' })),
    ],
  });
}
