/**
 * Between log and queue: exchanges bound to topics, and replays of a log into a queue.
 *
 * @module @millrace/bridge
 */
export { type BridgeOptions, bridge } from './bridge.js';
export { type ReplayOptions, type ReplayProgress, replay } from './replay.js';
