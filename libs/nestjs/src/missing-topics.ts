import { Logger } from '@nestjs/common';
import type { ConsumerPlan } from './consumer-plan.js';

/** Topics of dead letters are made when the first record dies. */
const comesByItself = /\.dead-letters$/;

/** A group may be there before its topics are, and waits for them. Who has mistyped a name should hear of it. */
export async function tellOfMissingTopics({ label, topics = [], millrace }: ConsumerPlan): Promise<void> {
  if (!millrace.options.logging || topics.every((topic) => comesByItself.test(topic))) return;
  const known = new Set((await millrace.log.listTopics()).map(({ name }) => name));
  for (const topic of topics.filter((name) => !known.has(name) && !comesByItself.test(name))) {
    new Logger('Millrace').warn(
      `${label} waits for topic "${topic}", which does not exist. Is that its name? Declare it: forRoot({ topics: [{ name: '${topic}' }] })`,
    );
  }
}
