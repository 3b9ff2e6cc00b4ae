import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { NotificationsModule } from './notifications-module.js';

const app = await NestFactory.create<NestExpressApplication>(NotificationsModule, { logger: ['log', 'warn', 'error'] });
app.enableShutdownHooks();
app.disable('x-powered-by');
// Only this machine reaches it by default; in a container set LISTEN_HOST=0.0.0.0.
await app.listen(process.env.PORT ?? 3000, process.env.LISTEN_HOST ?? '127.0.0.1');
const url = await app.getUrl();
new Logger('Notifications').log(`Notifications on ${url}: GET /metrics.`);
