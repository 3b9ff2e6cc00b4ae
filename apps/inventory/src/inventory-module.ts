import { redisConnection } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { Reservations } from './reservations.js';
import { ReservationsController } from './reservations-controller.js';
import { StockKeeper } from './stock-keeper.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: redisConnection('inventory'),
      waitForRedis: true,
      onTopologyChange: 'apply',
    }),
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  controllers: [ReservationsController],
  providers: [Reservations, StockKeeper],
})
export class InventoryModule {}
