import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { PulledGauge } from './pulled-metrics.js';

const resolutionMs = 20;
const quantiles = [0.5, 0.99, 1];

/** How late this process's timers fire: such lag delays heartbeats and every handler. */
export class EventLoop {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor(registry: Registry) {
    new PulledGauge(
      {
        name: 'millrace_event_loop_lag_seconds',
        help: 'How late timers of this process came since the last scrape, by quantile; 1 is the worst.',
        labelNames: ['quantile'],
      },
      registry,
      () => this.#read(),
    );
  }

  start(): void {
    this.#delay.enable();
  }

  stop(): void {
    this.#delay.disable();
  }

  #read() {
    // Node measures the whole interval between two timers: the part beyond the requested interval is lag.
    const series = quantiles.map((quantile) => ({
      labels: { quantile: String(quantile) },
      value: Math.max(0, this.#delay.percentile(Math.max(quantile * 100, 0.1)) / 1e9 - resolutionMs / 1000),
    }));
    const isEmpty = this.#delay.count === 0;
    this.#delay.reset();
    return isEmpty ? [] : series;
  }
}
