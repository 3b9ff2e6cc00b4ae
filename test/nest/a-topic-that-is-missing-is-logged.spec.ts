import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LogHandler, Millrace } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type INestApplication, Injectable, Logger } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';

const handled: unknown[] = [];

@Injectable()
class Handlers {
  @LogHandler({ topic: 'later', group: 'readers' })
  read(payload: unknown) {
    handled.push(payload);
  }

  @LogHandler({ topic: 'there', group: 'readers' })
  there() {}
}

describe('a handler of a topic that is not declared', () => {
  let redis: RedisServer;
  let application: INestApplication | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(() => application?.close());
  afterAll(stopEverything);

  it('is logged at the start, and begins when the topic is there', async () => {
    // given
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const options = connectionTo(redis, { logging: true, topics: [{ name: 'there' }] });
    // when
    application = await startApplication(options, { providers: [Handlers] });
    // then
    const logged = warn.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('topic'));
    expect(logged).toEqual([expect.stringContaining('Handlers.read waits for topic "later", which does not exist.')]);
    // when
    const { log, producer } = application.get(Millrace);
    await log.declareTopic({ name: 'later' });
    await producer.send({ topic: 'later', value: 'came' });
    // then
    await waitFor(() => handled.length === 1, { what: 'the record to be handled' });
  });
});
