import type { ConsumerPlan } from './consumer-plan.js';
import { MillraceLogger } from './millrace-logger.js';

/** Topics of dead letters are made when the first record dies. */
const comesByItself = /\.dead-letters$/;

/** A group may be there before its topics are, and waits for them. Who has mistyped a name should hear of it. */
export async function tellOfMissingTopics({ label, topics = [], millrace }: ConsumerPlan): Promise<void> {
  if (topics instanceof RegExp) return;
  if (!millrace.options.logging) return;
  // A hint, no more: when Redis is away at this moment the consumer has begun all the same.
  const known = await millrace.log.listTopics().catch(() => undefined);
  if (known === undefined) return;
  const isThere = (topic: string): boolean => known.some(({ name }) => name === topic);
  const logger = new MillraceLogger();
  for (const topic of topics.filter((name) => !isThere(name))) {
    const source = topic.replace(comesByItself, '');
    if (source !== topic) {
      if (isThere(source)) continue;
      logger.warn(`${label} waits for dead letters of topic "${source}", which does not exist. Is that its name?`);
      continue;
    }
    logger.warn(
      `${label} waits for topic "${topic}", which does not exist. Is that its name? Declare it: forRoot({ topics: [{ name: '${topic}' }] })`,
    );
  }
}
