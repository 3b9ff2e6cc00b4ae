import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InventoryModule } from './inventory-module.js';

const app = await NestFactory.create(InventoryModule, { logger: ['log', 'warn', 'error'] });
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3000);
const url = (await app.getUrl()).replace('[::1]', 'localhost');
new Logger('Inventory').log(`Inventory on ${url}: GET /reservations/:orderId, GET /metrics.`);
