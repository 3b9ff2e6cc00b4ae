/**
 * A Nest application under test, with Redis or without.
 *
 * @module @millrace/testing/harness
 */
// The entry `@millrace/testing/harness`: for tests of Nest applications. A separate entry, because it needs Nest.
export { HarnessContext, type MessageFacts } from './harness/harness-context.js';
export type { DeadLettered, Handled, Published } from './harness/journal.js';
export { Journal } from './harness/journal.js';
export { type HarnessDelivery, OfflineHarness } from './harness/offline-harness.js';
export { RedisHarness } from './harness/redis-harness.js';
