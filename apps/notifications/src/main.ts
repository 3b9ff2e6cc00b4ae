import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NotificationsModule } from './notifications-module.js';

const app = await NestFactory.create(NotificationsModule, { logger: ['log', 'warn', 'error'] });
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
const url = (await app.getUrl()).replace('[::1]', 'localhost');
new Logger('Notifications').log(`Notifications on ${url}: GET /metrics.`);
