import { afterAll, describe, expect, it } from '@jest/globals';
import { TopologyNotFoundError } from '@millrace/core';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a queue of which no message has died yet', () => {
  afterAll(stopEverything);

  it('has no dead letters to list, count, redrive or purge', async () => {
    // given
    const { broker, close } = await openBroker(await startRedis(), ownPrefix());
    await broker.declareQueue({ name: 'q' });
    await broker.declareQueue({ name: 'other', deadLetter: { queue: 'the-dead' } });
    for (const name of ['q.dead-letters', 'the-dead']) {
      const dead = broker.queue(name);
      // then
      expect(await dead.counts()).toMatchObject({ ready: 0, consumers: 0 });
      for (const page of [dead.ready(), dead.delayed(), dead.parked(), dead.deadLetters.list({ limit: 3 })])
        expect(await page).toEqual({ messages: [], unreadable: [], cursor: undefined });
      expect(await dead.deadLetters.get('m')).toBeUndefined();
      expect(await dead.deadLetters.edit('m', { payload: 1 })).toBe(false);
      expect(await dead.deadLetters.redrive()).toMatchObject({ redriven: 0, looping: 0, stuck: 0, reasons: [] });
      expect(await dead.deadLetters.purge()).toBe(0);
      expect(await dead.unpark()).toBe(0);
    }
    // A name that is mistyped is another matter.
    for (const name of ['unused.dead-letters', 'unused'])
      await expect(broker.queue(name).deadLetters.list()).rejects.toThrow(TopologyNotFoundError);
    await close();
  });
});
