import 'reflect-metadata';
import { Logger, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ShopModule } from './shop-module.js';

const app = await NestFactory.create(ShopModule, { logger: ['log', 'warn', 'error'] });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
const url = (await app.getUrl()).replace('[::1]', 'localhost');
new Logger('Shop').log(`Shop on ${url}: POST /orders, GET /orders/:id, GET /health, GET /metrics.`);
