import { gpsFixes, redisConnection } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { CabMap } from './cab-map.js';
import { CabsController } from './cabs-controller.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: redisConnection('tracking'),
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
