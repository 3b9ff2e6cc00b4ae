// Loads every package twice, by `import` and by `require`, and prints as one line of JSON what each copy makes of the other's objects.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';

const require = createRequire(import.meta.url);
const packages = process.argv.slice(2);
const entries = ['@millrace/nestjs/transport', '@millrace/testing/harness'];
const imported = {};
const required = {};
for (const name of [...packages, ...entries]) {
  Object.assign(imported, await import(name));
  Object.assign(required, require(name));
}
const connection = { url: 'redis://127.0.0.1:1' };

/** The exported errors of which one copy does not recognise the other's, or takes one for another. */
function strangers(own, other) {
  const errors = Object.keys(own).filter((key) => own[key].prototype instanceof Error);
  return errors.flatMap((key) => {
    const made = errors.filter((name) => Object.create(other[name].prototype) instanceof own[key]);
    const heirs = errors.filter((name) => name === key || own[name].prototype instanceof own[key]);
    return String(made) === String(heirs) && own[key] !== other[key] ? [] : [`${key}: ${made}`];
  });
}

/** Runs an application whose connection is made by one copy, and whose handlers and publishers belong to the other. */
async function application(module, handlers) {
  class Mailer {
    constructor(mails, millrace) {
      Object.assign(this, { mails, millrace });
    }
    send({ to }) {
      throw to === '' ? new handlers.DeadLetter('it has no address') : new handlers.RetryLater(50);
    }
  }
  const queue = handlers.defineQueue({ name: 'mails', type: Object, codec: handlers.jsonCodec });
  const send = Object.getOwnPropertyDescriptor(Mailer.prototype, 'send');
  handlers.QueueHandler({ queue: 'mails', type: false })(Mailer.prototype, 'send', send);
  handlers.InjectQueue('mails')(Mailer, undefined, 0);
  handlers.InjectMillrace()(Mailer, undefined, 1);
  Injectable()(Mailer);
  class Mails {}
  Module({ imports: [handlers.MillraceModule.forFeature({ queues: [queue] })], providers: [Mailer] })(Mails);
  class Application {}
  const forRoot = module.MillraceModule.forRoot({ connection, codecs: [handlers.jsonCodec] });
  Module({ imports: [forRoot, Mails] })(Application);
  const harness = await module.OfflineHarness.start(Test.createTestingModule({ imports: [Application] }));
  const mailer = harness.application.get(Mailer, { strict: false });
  await mailer.mails.send({ to: 'ada' });
  const deliveries = [
    await harness.handle('Mailer.send', { to: '' }),
    await harness.handle('Mailer.send', { to: 'a' }),
  ];
  await harness.stop();
  return {
    published: harness.journal.published.map((published) => published.queue),
    outcomes: deliveries.map(({ outcome }) => outcome.kind),
    isMillrace: mailer.millrace instanceof handlers.Millrace,
  };
}

/** What a second connection of the other copy, and a second `Metrics` in one registry, are refused with. */
async function refusals() {
  class Application {}
  const second = required.MillraceModule.forRoot({ connection, name: 'second', waitForRedis: 'background' });
  const first = imported.MillraceModule.forRoot({ connection, waitForRedis: 'background' });
  Module({ imports: [first, second] })(Application);
  const start = NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
  const registry = new Registry();
  const measured = () => ({ connection: new imported.RedisConnection(connection), events: new imported.Events() });
  new imported.Metrics(measured(), { registry });
  return [await problemOf(() => start), await problemOf(() => new required.Metrics(measured(), { registry }))];
}

async function problemOf(make) {
  try {
    await make();
    return 'none';
  } catch (error) {
    return error.message;
  }
}

/** Whether a transport takes the other copy's connection, events and records, as its own. */
function transport() {
  const options = imported.getMillraceOptionsToken;
  const events = new required.Events();
  return {
    token:
      imported.millraceTransport === required.millraceTransport && options() === required.getMillraceOptionsToken(),
    isRecord: new required.MillraceRecord(1) instanceof imported.MillraceRecord,
    areEvents: events instanceof imported.Events,
  };
}

const result = {
  strangers: [strangers(imported, required), strangers(required, imported)],
  applications: [await application(imported, required), await application(required, imported)],
  refusals: await refusals(),
  transport: transport(),
};
console.log(JSON.stringify(result));
process.exit();
