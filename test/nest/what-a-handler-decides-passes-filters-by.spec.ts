import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter, Drop, LogHandler, Millrace, QueueHandler, Requeue, RetryLater } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Catch, type ExceptionFilter, Injectable, UseFilters } from '@nestjs/common';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];
const decisions = {
  DeadLetter: () => new DeadLetter('never'),
  Drop: () => new Drop('of no use'),
  RetryLater: () => new RetryLater(1),
  Requeue: () => new Requeue('back'),
};

@Catch()
class CatchesAll implements ExceptionFilter {
  catch(error: Error): string {
    seen.push(`filter ${error.name}`);
    return 'settled by the filter';
  }
}

@Injectable()
@UseFilters(CatchesAll)
class Desk {
  @QueueHandler({ queue: 'work', retry: false })
  @LogHandler({ topic: 'work', group: 'desk', retry: false })
  on(word: keyof typeof decisions): void {
    seen.push(word);
    if (seen.length === 1) throw decisions[word]();
  }
}

async function decided(channel: (typeof channels)[number], word: string, deliveries: number): Promise<string[]> {
  seen.length = 0;
  const application = await startApplication(connectionTo(redis), { imports: [channelsModule()], providers: [Desk] });
  const outcomes: string[] = [];
  application.get(Millrace).events.on('handled', ({ outcome }) => outcomes.push(outcome));
  await send(application, channel, word);
  await waitFor(() => outcomes.length === deliveries, { what: 'every delivery to end' });
  await application.close();
  return outcomes;
}

describe.each(channels)('a filter of a handler of a %s that settles everything', (channel) => {
  it.each([
    ['DeadLetter', ['given-up']],
    ['Drop', ['dropped']],
    ['RetryLater', ['retry-later', 'completed']],
  ] as const)('does not see %s', async (word, expected) => {
    // when
    const outcomes = await decided(channel, word, expected.length);
    // then
    expect(outcomes).toEqual(expected);
    expect(seen).toEqual(expected.map(() => word));
  });
});

describe('a filter of a handler of a queue that settles everything', () => {
  it('does not see Requeue', async () => {
    // when
    await decided('queue', 'Requeue', 2);
    // then: the message came back
    expect(seen).toEqual(['Requeue', 'Requeue']);
  });
});
