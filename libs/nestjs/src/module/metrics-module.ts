import { Metrics, type MetricsInput } from '@millrace/metrics';
import { Controller, type DynamicModule, Get, Inject, Module, type Provider, Res, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { defaultConnection, getMillraceToken } from '../decorators/tokens.js';
import type { Millrace } from './millrace.js';
import { MillraceMetrics } from './millrace-metrics.js';

/** What is measured, and where it is served. */
export interface MillraceMetricsOptions extends MetricsInput {
  /** The connection's name. Default: the one without a name. Several connections need a registry and a path each. */
  readonly connection?: string;
  /** Path of the controller; `false`: none, for applications that serve `registry` themselves. Default `metrics`. */
  readonly path?: string | false;
}

/** Prometheus metrics of a connection: `GET /metrics`, and `MillraceMetrics` for injection. */
@Module({})
export class MillraceMetricsModule {
  /**
   * Measures a connection, and serves the metrics at `path` (default `metrics`; `false`: nowhere).
   *
   * @throws {OptionsError} an option is wrong
   */
  static forRoot({
    connection = defaultConnection,
    path = 'metrics',
    ...input
  }: MillraceMetricsOptions = {}): DynamicModule {
    const metrics: Provider = {
      provide: MillraceMetrics,
      inject: [getMillraceToken(connection)],
      useFactory: (millrace: Millrace) => new MillraceMetrics(new Metrics(millrace, input)),
    };
    return {
      // A new class per connection: Nest treats two modules with the same class and options as one.
      module: connection === defaultConnection ? MillraceMetricsModule : class MillraceMetricsOfConnection {},
      controllers: path === false ? [] : [controllerAt(path)],
      providers: [metrics],
      exports: [MillraceMetrics],
    };
  }
}

function controllerAt(path: string): Type {
  @Controller(path)
  class MillraceMetricsController {
    readonly #metrics: Metrics;
    readonly #host: HttpAdapterHost;

    constructor(@Inject(MillraceMetrics) { metrics }: MillraceMetrics, @Inject(HttpAdapterHost) host: HttpAdapterHost) {
      this.#metrics = metrics;
      this.#host = host;
    }

    @Get()
    async scrape(@Res({ passthrough: true }) response: unknown): Promise<string> {
      this.#host.httpAdapter.setHeader(response, 'content-type', this.#metrics.contentType);
      return this.#metrics.scrape();
    }
  }
  return MillraceMetricsController;
}
