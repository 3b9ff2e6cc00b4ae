// Starts an application with handlers of both kinds and closes it again; nothing may keep the process from ending.
import 'reflect-metadata';
import { LogHandler, MillraceModule, QueueHandler } from '@millrace/nestjs';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class Handlers {
  onRecord() {}
  onMessage() {}
}
const decorate = (decorator, name) =>
  decorator(Handlers.prototype, name, Object.getOwnPropertyDescriptor(Handlers.prototype, name));
decorate(LogHandler({ topic: 'orders', group: 'desk' }), 'onRecord');
decorate(QueueHandler({ queue: process.argv[4] === 'wrong' ? '' : 'emails' }), 'onMessage');
Injectable()(Handlers);

class Application {}
const [url, prefix] = process.argv.slice(2);
const topics = [{ name: 'orders' }];
Module({
  imports: [MillraceModule.forRoot({ connection: { url, prefix, connectTimeoutMs: 200 }, topics, queues: ['emails'] })],
  providers: [Handlers],
})(Application);

try {
  const application = await NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
  console.log('started');
  await application.close();
  console.log('closed');
} catch (error) {
  console.log(`failed: ${error.code}`);
}
