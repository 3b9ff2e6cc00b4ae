import { keepsDeadLetters, sourceOfDeadLetters } from '@millrace/core';
import type { Broker } from '@millrace/queue';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import type { DeclaredTopology } from './declared-topology.js';

/** The parts of a connection that are used. */
interface Connection {
  readonly broker: Broker;
  readonly declared: DeclaredTopology;
  readonly options: { readonly logging: boolean };
}

/** Consumers already warned of: there is one warning per consumer, for any number of starts. */
const warned = new WeakSet<ConsumerPlan>();

/** The queues that do not exist in Redis. */
export async function missingQueues(broker: Broker, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const steps = await broker.plan({ queues: names.map((name) => ({ name })) });
  return steps.filter(({ action, kind }) => action === 'create' && kind === 'queue').map(({ name }) => name);
}

/**
 * Warns of queues that only handlers name: this start or an earlier one creates them with default settings, and the name may be mistyped.
 * `made`: the queues that this start creates.
 */
export async function warnOfUndeclaredQueues(
  { broker, declared, options }: Connection,
  plans: readonly ConsumerPlan[],
  made: readonly string[],
): Promise<void> {
  if (!options.logging) return;
  for (const plan of plans) {
    const { queue, label, topology, ownsQueue } = plan;
    if (queue === undefined || ownsQueue || warned.has(plan) || (topology.queues ?? []).length > 0) continue;
    warned.add(plan);
    const doubt = keepsDeadLetters(queue)
      ? await doubtOfSource(broker, sourceOfDeadLetters(queue))
      : doubtOf(queue, declared.guessQueue(queue), made.includes(queue));
    if (doubt !== undefined) new MillraceLogger().warn(`${label} ${doubt}`);
  }
}

async function doubtOfSource(broker: Broker, source: string): Promise<string | undefined> {
  const isMissing = (await missingQueues(broker, [source])).length > 0;
  return isMissing ? `waits for dead letters of queue "${source}", which does not exist. Check the name.` : undefined;
}

function doubtOf(queue: string, guess: string | undefined, isNew: boolean): string | undefined {
  if (guess === undefined || (guess === '' && !isNew)) return undefined;
  return (
    `consumes from queue "${queue}", which nothing declares: it has default settings${guess}. ` +
    `Check the name, or declare it: forRoot({ queues: [{ name: '${queue}' }] })`
  );
}
