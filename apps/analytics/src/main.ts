import 'reflect-metadata';
import { Logger, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AnalyticsModule } from './analytics-module.js';

const app = await NestFactory.create(AnalyticsModule, { logger: ['log', 'warn', 'error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
const url = (await app.getUrl()).replace('[::1]', 'localhost');
new Logger('Analytics').log(`Analytics on ${url}: GET /sales, GET /sales?since=2026-11-22T18:00:00Z, GET /metrics.`);
