import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { Reservations } from './reservations.js';
import { ReservationsController } from './reservations-controller.js';
import { StockKeeper } from './stock-keeper.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: { url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'inventory' },
      waitForRedis: true,
      onTopologyChange: 'apply',
    }),
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  controllers: [ReservationsController],
  providers: [Reservations, StockKeeper],
})
export class InventoryModule {}
