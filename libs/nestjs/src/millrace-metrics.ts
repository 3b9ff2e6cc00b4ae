import type { Metrics } from '@millrace/metrics';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';

/** The metrics of a connection while the application runs. */
export class MillraceMetrics implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly metrics: Metrics;

  constructor(metrics: Metrics) {
    this.metrics = metrics;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.metrics.start();
  }

  /** Consumers have stopped, and the connection is still there to give the reading of lag to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.metrics.stop();
  }
}
