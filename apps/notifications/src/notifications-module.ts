import { events, redisConnection } from '@demo/contracts';
import { MillraceMetricsModule, MillraceModule } from '@millrace/nestjs';
import { Module } from '@nestjs/common';
import { NotificationSender } from './notification-sender.js';

@Module({
  imports: [
    MillraceModule.forRoot({
      connection: redisConnection('notifications'),
      waitForRedis: true,
      // Another limit in the contract counts from the next deployment on.
      onTopologyChange: 'apply',
    }),
    MillraceModule.forFeature({ exchanges: [events] }),
    MillraceMetricsModule.forRoot({ detail: true, kafkaExporterNames: true }),
  ],
  providers: [NotificationSender],
})
export class NotificationsModule {}
