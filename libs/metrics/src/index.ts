/**
 * Prometheus metrics and OpenTelemetry traces. Start with {@link Metrics} and {@link instrument}.
 *
 * @module @millrace/metrics
 */
export { instrument, instrumentWith, type Traced } from './instrument.js';
export { type Measured, Metrics } from './metrics.js';
export { type Detail, defaultDurationBuckets, type MetricsInput, type MetricsOptions } from './metrics-options.js';
export { type Sent, type TraceApi, Tracing } from './tracing.js';
