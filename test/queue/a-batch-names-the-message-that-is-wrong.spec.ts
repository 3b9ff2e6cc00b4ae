import { afterAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError } from '@millrace/core';
import { startRedis, stopEverything } from '@millrace/testing';
import { openBroker, ownPrefix } from './broker.js';

describe('a batch with messages that are wrong', () => {
  afterAll(stopEverything);

  it('is refused by the index, routing key and id of each, and nothing of it is published', async () => {
    // given
    const { broker, close } = await openBroker(await startRedis(), ownPrefix(), { maxMessageBytes: 1000 });
    await broker.declareQueue({ name: 'q' });
    // when
    const publishing = broker.publishBatch([
      { exchange: '', routingKey: 'q', body: 1 },
      { exchange: '', routingKey: 'q', body: 'x'.repeat(2000), properties: { messageId: 'm1' } },
      { exchange: '', routingKey: 'q', body: undefined },
    ]);
    // then
    await expect(publishing).rejects.toThrow(InvalidMessageError);
    await expect(publishing).rejects.toThrow(
      /messages\[1\] \(routing key "q", id "m1"\): message for queue "q" has \d+ bytes; maxMessageBytes is 1000/,
    );
    await expect(publishing).rejects.toThrow(/messages\[2\] \(routing key "q"\): message for queue "q": .*JSON has no/);
    expect((await broker.queue('q').counts()).ready).toBe(0);
    await close();
  });
});
