import { orders, redisConnection } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { SalesController } from './sales-controller.js';
import { SalesReport } from './sales-report.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: redisConnection('analytics'),
      waitForRedis: true,
      onTopologyChange: 'apply',
    }),
    MillraceModule.forFeature({ topics: [orders] }),
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  controllers: [SalesController],
  providers: [SalesReport],
})
export class AnalyticsModule {}
