import { events, orders, redisConnection } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HealthController } from './health-controller.js';
import { OrderBook } from './order-book.js';
import { OrderDesk } from './order-desk.js';
import { OrdersController } from './orders-controller.js';
import { UnavailableFilter } from './unavailable-filter.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: redisConnection('shop'),
      waitForRedis: true,
      onTopologyChange: 'apply',
      // A customer waits for the answer: better a clear no after three seconds than a yes after thirty.
      producer: { deliveryTimeoutMs: 3000 },
      publisher: { deliveryTimeoutMs: 3000 },
    }),
    MillraceModule.forFeature({ topics: [orders], exchanges: [events] }),
    // GET /metrics. Few objects, so every detail: see docs/metrics.md.
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  controllers: [OrdersController, HealthController],
  providers: [OrderBook, OrderDesk, { provide: APP_FILTER, useClass: UnavailableFilter }],
})
export class ShopModule {}
