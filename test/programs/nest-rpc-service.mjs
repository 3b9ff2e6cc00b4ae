// A microservice in a process of its own: replies with sums, counts for ever, and prints what happens to it.
import 'reflect-metadata';
import { MillraceServer } from '@millrace/nestjs/transport';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { finalize, interval } from 'rxjs';

class Maths {
  sum(numbers) {
    return numbers.reduce((total, n) => total + n, 0);
  }

  pid() {
    return process.pid;
  }

  count() {
    return interval(1).pipe(finalize(() => console.log('stream ended')));
  }
}
for (const name of ['sum', 'pid', 'count']) {
  const descriptor = Object.getOwnPropertyDescriptor(Maths.prototype, name);
  MessagePattern(name)(Maths.prototype, name, descriptor);
}
Controller()(Maths);

class Service {}
Module({ controllers: [Maths] })(Service);

const [url, prefix] = process.argv.slice(2);
const strategy = new MillraceServer({ connection: { url, prefix }, queue: 'maths' });
const service = await NestFactory.createMicroservice(Service, { strategy, logger: false });
await service.listen();
console.log('ready');
process.on('SIGTERM', async () => {
  await service.close();
  console.log('closed');
});
