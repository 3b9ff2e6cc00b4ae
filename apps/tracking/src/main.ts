import 'reflect-metadata';
import { Logger, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TrackingModule } from './tracking-module.js';

const app = await NestFactory.create(TrackingModule, { logger: ['log', 'warn', 'error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
const url = (await app.getUrl()).replace('[::1]', 'localhost');
new Logger('Tracking').log(`Tracking on ${url}: POST /cabs/:id/fixes, GET /cabs, GET /metrics.`);
