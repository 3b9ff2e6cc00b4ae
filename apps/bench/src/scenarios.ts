import type { Scenario } from './scenario.js';
import { queuePublishAwaited } from './scenarios/queue-publish-awaited.js';

/** Every scenario, in the order of the table. A new one is a file in `scenarios/` and a line here. */
export const scenarios: readonly Scenario[] = [queuePublishAwaited];
