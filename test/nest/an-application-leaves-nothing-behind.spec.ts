import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MillraceClient, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { expectNothingLeftBy } from '../footprint.js';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, Inbox, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

@Controller()
class Echo {
  @MessagePattern('echo')
  echo(word: string): string {
    return word;
  }
}

describe('what is left behind', () => {
  it('by an application that was started, has handled and was closed, is nothing', async () => {
    const options = connectionTo(redis);
    const life = async (): Promise<void> => {
      const application = await startApplication(options, { imports: [channelsModule()], providers: [Inbox] });
      for (const channel of channels) await send(application, channel, channel);
      await waitFor(() => application.get(Inbox).got.length === 2, { what: 'a message by each channel' });
      await application.close();
    };
    await expectNothingLeftBy(life, { admin: redis.client() });
  });

  it('by a service and a client that were connected, have spoken and were closed, is nothing', async () => {
    const { connection } = connectionTo(redis);
    const module = await Test.createTestingModule({ controllers: [Echo] }).compile();
    const life = async (): Promise<void> => {
      const service = module.createNestMicroservice({
        strategy: new MillraceServer({ connection, queue: 'echo' }),
        logger: false,
      });
      await service.listen();
      const client = new MillraceClient({ connection });
      expect(await firstValueFrom(client.send('echo', 'hello'))).toBe('hello');
      await client.close();
      await service.close();
    };
    await expectNothingLeftBy(life, { admin: redis.client() });
  });
});
