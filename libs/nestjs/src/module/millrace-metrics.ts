import type { Metrics } from '@millrace/metrics';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';

/** The metrics of a connection while the application runs. */
export class MillraceMetrics implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** The connection's metrics: its registry and options. */
  readonly metrics: Metrics;

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  /** Called by Nest: starts sampling. */
  async onApplicationBootstrap(): Promise<void> {
    await this.metrics.start();
  }

  /** Called by Nest after the consumers have stopped, while the connection can still pass the reading of lag to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.metrics.stop();
  }
}
