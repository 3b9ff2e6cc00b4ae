export { type BridgeOptions, bridge } from './bridge.js';
export { type ReplayOptions, type ReplayProgress, replay } from './replay.js';
