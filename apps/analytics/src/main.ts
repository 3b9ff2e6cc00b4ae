import 'reflect-metadata';
import { Logger, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AnalyticsModule } from './analytics-module.js';

const app = await NestFactory.create<NestExpressApplication>(AnalyticsModule, { logger: ['log', 'warn', 'error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
app.disable('x-powered-by');
// Only this machine reaches it by default; in a container set LISTEN_HOST=0.0.0.0.
await app.listen(process.env.PORT ?? 3000, process.env.LISTEN_HOST ?? '127.0.0.1');
const url = await app.getUrl();
new Logger('Analytics').log(`Analytics on ${url}: GET /sales, GET /sales?since=2026-11-22T18:00:00Z, GET /metrics.`);
