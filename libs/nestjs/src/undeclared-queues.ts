import { deadLettersOf, keepsDeadLetters } from '@millrace/core';
import type { Broker } from '@millrace/queue';
import type { ConsumerPlan } from './consumer-plan.js';
import type { DeclaredTopology } from './declared-topology.js';
import { MillraceLogger } from './millrace-logger.js';

/** What is used of a connection. */
interface Connection {
  readonly broker: Broker;
  readonly declared: DeclaredTopology;
  readonly options: { readonly logging: boolean };
}

/** Each consumer is told of once, however often it is started. */
const told = new WeakSet<ConsumerPlan>();

/**
 * A queue that only a handler names is made with default settings, or was by an earlier start. Who has mistyped its name
 * should hear of it. `made`: what is made now.
 */
export async function tellOfUndeclaredQueues(
  { broker, declared, options }: Connection,
  plans: readonly ConsumerPlan[],
  made: readonly string[],
): Promise<void> {
  if (!options.logging) return;
  const logger = new MillraceLogger();
  for (const plan of plans) {
    const { queue, label, topology, ownsQueue } = plan;
    if (queue === undefined || ownsQueue || told.has(plan) || (topology.queues ?? []).length > 0) continue;
    told.add(plan);
    if (keepsDeadLetters(queue)) {
      const source = queue.slice(0, -deadLettersOf('').length);
      if (!(await exists(broker, source))) {
        logger.warn(`${label} waits for dead letters of queue "${source}", which does not exist. Is that its name?`);
      }
      continue;
    }
    const guess = declared.guessQueue(queue);
    const isNew = made.includes(queue);
    if (guess === undefined || (guess === '' && !isNew)) continue;
    logger.warn(
      `${label} consumes from queue "${queue}", which nothing declares: it has default settings${guess}. ` +
        `Is that its name? Declare it: forRoot({ queues: [{ name: '${queue}' }] })`,
    );
  }
}

async function exists(broker: Broker, queue: string): Promise<boolean> {
  const steps = await broker.plan({ queues: [{ name: queue }] });
  return !steps.some(({ action }) => action === 'create');
}
