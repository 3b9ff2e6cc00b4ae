import { OptionsError, TopicConflictError, TopologyConflictError } from '@millrace/core';
import type { Log } from '@millrace/log';
import type { Broker } from '@millrace/queue';
import { withoutMessages, withoutType } from '../decorators/definitions.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import type { DeclaredTopology } from './declared-topology.js';
import { joinTopologies, type TopicDeclaration, type Topology, throwProblems } from './topology.js';
import { missingQueues, warnOfUndeclaredQueues } from './undeclared-queues.js';

/** The parts of a connection that are used. */
interface Declarer {
  readonly name: string;
  readonly log: Log;
  readonly broker: Broker;
  readonly options: { readonly onTopologyChange: 'refuse' | 'apply'; readonly logging: boolean };
  readonly declared: DeclaredTopology;
}

/** Declares everything; the problems of all objects come in one error. */
export async function declareTopology(
  { name, log, broker, options }: Pick<Declarer, 'name' | 'log' | 'broker' | 'options'>,
  topology: Topology,
): Promise<void> {
  const onChange = options.onTopologyChange;
  const problems: string[] = [];
  const attempt = async (declare: () => Promise<unknown>): Promise<void> => {
    try {
      await declare();
    } catch (error) {
      if (error instanceof TopicConflictError || error instanceof TopologyConflictError) {
        const advice =
          onChange === 'apply'
            ? ''
            : " Or set onTopologyChange: 'apply' to change the settings that can be changed in use.";
        problems.push(`${error.message}${advice}`);
        return;
      }
      if (!(error instanceof OptionsError)) throw error;
      problems.push(...error.problems.map((problem) => `${error.subject}: ${problem}`));
    }
  };
  for (const topic of topology.topics) await attempt(() => declareTopic(log, withoutType(topic), onChange));
  const exchanges = topology.exchanges.map(withoutMessages);
  const queues = topology.queues.map((queue) => (typeof queue === 'string' ? { name: queue } : withoutType(queue)));
  await attempt(() => broker.declare({ exchanges, queues, bindings: topology.bindings }, { onChange }));
  throwProblems(`topology of connection "${name}"`, problems);
}

/** Declares what consumers' decorators require; a queue without a declaration gets default settings. */
export async function declareConsumers(declarer: Declarer, plans: readonly ConsumerPlan[]): Promise<void> {
  if (plans.length === 0) return;
  const entries = plans.map(({ label, topology }) => ({ place: () => label, topology }));
  declarer.declared.assertAlike(entries);
  const named = plans.flatMap(({ queue, topology: { queues = [] } }) =>
    queue === undefined || queues.length > 0 ? [] : [queue],
  );
  const missing = await missingQueues(declarer.broker, named);
  await declareTopology(declarer, joinTopologies([{ queues: missing }, ...plans.map(({ topology }) => topology)]));
  await warnOfUndeclaredQueues(declarer, plans, missing);
}

/** @throws {TopicConflictError} it is declared with other settings, and they must not or cannot be changed */
async function declareTopic(log: Log, topic: TopicDeclaration, onChange: 'refuse' | 'apply'): Promise<void> {
  try {
    await log.declareTopic(topic);
  } catch (error) {
    if (!(error instanceof TopicConflictError) || onChange === 'refuse') throw error;
    const { retention, compression, deadLetter, timestamps } = topic;
    await log.alterTopic(topic.name, { retention, compression, deadLetter, timestamps });
    await log.declareTopic(topic);
  }
}
