import { afterAll, describe, expect, it } from '@jest/globals';
import { Millrace } from '@millrace/nestjs';
import { MillraceClient } from '@millrace/nestjs/transport';
import { freePort, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller, Get, Param } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import { connectionTo, createApplication } from './application.js';

afterAll(stopEverything);

const refused = new MillraceClient({
  connection: { url: `redis://127.0.0.1:${await freePort()}`, connectTimeoutMs: 200 },
});
const hasty = { current: refused };

@Controller()
class Shop {
  readonly #ways: Readonly<Record<string, () => Promise<unknown>>>;

  constructor(millrace: Millrace) {
    this.#ways = {
      send: () => millrace.producer.send({ topic: 'orders', value: 1 }),
      publish: () => millrace.broker.sendToQueue('orders', 1),
      'client-send': () => lastValueFrom(refused.send('orders', 1)),
      'client-emit': () => lastValueFrom(refused.emit('orders', 1)),
      'no-reply': () => lastValueFrom(hasty.current.send('orders', 1)),
    };
  }

  @Get(':way')
  order(@Param('way') way: string): unknown {
    return this.#ways[way]?.();
  }
}
Reflect.defineMetadata('design:paramtypes', [Millrace], Shop);

describe('what cannot be done because Redis is away', () => {
  it('gets a 503 over HTTP, which does not name our hosts', async () => {
    // given
    const redis = await startRedis();
    const application = await createApplication(
      connectionTo(redis, {
        topics: [{ name: 'orders' }],
        queues: ['orders'],
        exchanges: [{ name: 'nest.requests', type: 'topic' }],
        bindings: [{ exchange: 'nest.requests', queue: 'orders', routingKey: '#' }],
        producer: { deliveryTimeoutMs: 200 },
        publisher: { deliveryTimeoutMs: 200 },
      }),
      { controllers: [Shop] },
    );
    await application.listen(0, '127.0.0.1');
    const url = await application.getUrl();
    const ask = async (way: string): Promise<unknown> => {
      const response = await fetch(`${url}/${way}`);
      return [response.status, await response.json()];
    };
    hasty.current = new MillraceClient({ connection: application.get(Millrace), timeoutMs: 50 });
    // then: no reply comes
    expect(await ask('no-reply')).toEqual([504, { statusCode: 504, message: 'Gateway Timeout' }]);
    // when
    await redis.stop();
    await waitFor(() => !application.get(Millrace).connection.isUp, { what: 'the outage' });
    // then
    const unavailable = [503, { statusCode: 503, message: 'Service Unavailable' }];
    for (const way of ['send', 'publish', 'client-send', 'client-emit']) {
      expect([way, await ask(way)]).toEqual([way, unavailable]);
    }
    await Promise.all([refused.close(), hasty.current.close()]);
    await application.close();
  });
});
