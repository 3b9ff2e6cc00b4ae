import 'reflect-metadata';
import { type INestApplication, Logger, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DemoModule } from './demo-module.js';
import { type DemoRedis, openDemoRedis } from './demo-redis.js';

const logger = new Logger('Demo');
let redis: DemoRedis | undefined;
let app: INestApplication | undefined;
let isEnding = false;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => void end(signal));
}
await start();

async function start(): Promise<void> {
  redis = await openDemoRedis();
  app = await NestFactory.create(DemoModule.on(redis.url), { logger: ['log', 'warn', 'error'] });
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  await app.listen(Number(process.env.PORT ?? 3000));
  const url = (await app.getUrl()).replace('[::1]', 'localhost');
  logger.log(`${redis.description}. Shop on ${url}: POST /orders, GET /orders/:id, GET /health.`);
}

/** First what takes requests and messages, then Redis below it. */
async function end(signal: string): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  logger.log(`${signal}: draining.`);
  await app?.close();
  await redis?.stop();
  process.exit(0);
}
