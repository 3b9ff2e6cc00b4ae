import { keepsDeadLetters, sourceOfDeadLetters } from '@millrace/core';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';

/** A group may be there before its topics are, and waits for them. A mistyped name is worth a line in the log. */
export async function warnOfMissingTopics({ label, topics = [], millrace }: ConsumerPlan): Promise<void> {
  if (topics instanceof RegExp || !millrace.options.logging) return;
  // A hint, no more: when Redis is away at this moment the consumer has begun all the same.
  const known = await millrace.log.listTopics().catch(() => undefined);
  if (known === undefined) return;
  const names = new Set(known.map(({ name }) => name));
  const logger = new MillraceLogger();
  for (const topic of topics.filter((name) => !names.has(name))) {
    if (!keepsDeadLetters(topic)) {
      logger.warn(
        `${label} waits for topic "${topic}", which does not exist. Is that its name? Declare it: forRoot({ topics: [{ name: '${topic}' }] })`,
      );
      continue;
    }
    // A topic of dead letters is made when the first record dies.
    const source = sourceOfDeadLetters(topic);
    if (names.has(source)) continue;
    logger.warn(`${label} waits for dead letters of topic "${source}", which does not exist. Is that its name?`);
  }
}
