import { keepsDeadLetters, sourceOfDeadLetters } from '@millrace/core';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';

/** A group may start before its topics exist, and waits for them. The name may be mistyped, so it is logged. */
export async function warnOfMissingTopics({ label, topics = [], millrace }: ConsumerPlan): Promise<void> {
  if (topics instanceof RegExp || !millrace.options.logging) return;
  // Only a hint: if Redis is away now, the consumer has started nevertheless.
  const known = await millrace.log.listTopics().catch(() => undefined);
  if (known === undefined) return;
  const names = new Set(known.map(({ name }) => name));
  const logger = new MillraceLogger();
  for (const topic of topics.filter((name) => !names.has(name))) {
    if (!keepsDeadLetters(topic)) {
      logger.warn(
        `${label} waits for topic "${topic}", which does not exist. Check the name, or declare it: forRoot({ topics: [{ name: '${topic}' }] })`,
      );
      continue;
    }
    // A topic for dead letters is created with the first dead letter.
    const source = sourceOfDeadLetters(topic);
    if (names.has(source)) continue;
    logger.warn(`${label} waits for dead letters of topic "${source}", which does not exist. Check the name.`);
  }
}
