export { type Measured, Metrics } from './metrics.js';
export { type Detail, defaultDurationBuckets, type MetricsInput, type MetricsOptions } from './metrics-options.js';
