import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HealthController } from './health-controller.js';
import { OrderBook } from './order-book.js';
import { OrderHandlers } from './order-handlers.js';
import { OrdersController } from './orders-controller.js';
import { events, notifications, orders } from './topology.js';
import { UnavailableFilter } from './unavailable-filter.js';

@Module({})
export class DemoModule {
  static on(redisUrl: string): DynamicModule {
    return {
      module: DemoModule,
      imports: [
        MillraceModule.forRoot({
          connection: { url: redisUrl, name: 'demo' },
          waitForRedis: true,
          // A customer waits for the answer: better a clear no after three seconds than a yes after thirty.
          producer: { deliveryTimeoutMs: 3000 },
          publisher: { deliveryTimeoutMs: 3000 },
        }),
        // GET /metrics. Few objects, so every detail: see docs/metrics.md.
        MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
        MillraceModule.forFeature({ topics: [orders], exchanges: [events], queues: [notifications] }),
      ],
      controllers: [OrdersController, HealthController],
      providers: [OrderBook, OrderHandlers, { provide: APP_FILTER, useClass: UnavailableFilter }],
    };
  }
}
