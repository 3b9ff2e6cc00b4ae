import { gpsFixes } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { CabMap } from './cab-map.js';
import { CabsController } from './cabs-controller.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: { url: process.env.REDIS_URL ?? 'redis://localhost:6379', name: 'tracking' },
      waitForRedis: true,
      onTopologyChange: 'apply',
    }),
    MillraceModule.forFeature({ topics: [gpsFixes] }),
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  controllers: [CabsController],
  providers: [CabMap],
})
export class TrackingModule {}
