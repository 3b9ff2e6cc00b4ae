import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TopologyNotFoundError } from '@millrace/core';
import { type RedisCluster, startCluster, stopEverything } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

describe('on a cluster, a publisher that knew an older queue of the name', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ replicasPerMaster: 0 });
  });
  afterAll(stopEverything);

  /** Two processes that know a queue of five priorities; one of them has deleted it. */
  async function known() {
    const prefix = ownPrefix();
    const [operator, service] = [await openBroker(cluster, prefix), await openBroker(cluster, prefix)];
    await operator.broker.declareQueue({ name: 'q', priorities: 5 });
    await service.broker.sendToQueue('q', 'before', { priority: 4 });
    await operator.broker.deleteQueue('q');
    return { prefix, operator, service, close: () => Promise.all([operator.close(), service.close()]) };
  }

  it('puts no message where the new one has no place, before the new one is declared to all', async () => {
    // given
    const { operator, service, close } = await known();
    let outcome: unknown;
    beforeItIsCommitted(operator, async () => {
      // when its slot is there, and what is declared does not say so yet
      outcome = await service.broker.sendToQueue('q', 'early', { priority: 4 }).catch((error: unknown) => error);
    });
    await operator.broker.declareQueue({ name: 'q' });
    // then
    expect(outcome).toBeInstanceOf(TopologyNotFoundError);
    await close();
  });

  it('puts no message where the new one has no place, when its slot was lost and is made again', async () => {
    // given
    const { prefix, operator, service, close } = await known();
    await operator.broker.declareQueue({ name: 'q' });
    // when
    await cluster.client().unlink(`${prefix}:{queue:q}:settings`);
    await operator.broker.declareQueue({ name: 'q' });
    await service.broker.sendToQueue('q', 'late', { priority: 4 });
    // then
    expect(await operator.broker.queue('q').counts()).toMatchObject({ ready: 1 });
    await close();
  });

  it('is not kept out by a version in the slot that is beyond all dates', async () => {
    // given
    const { prefix, operator, service, close } = await known();
    await operator.broker.declareQueue({ name: 'q' });
    await cluster.client().hset(`${prefix}:{queue:q}:state`, 'topology', 99_999_999_999_999);
    // when
    await service.broker.sendToQueue('q', 1);
    // then
    expect(await operator.broker.queue('q').counts()).toMatchObject({ ready: 1 });
    await close();
  });
});

/** Has `work` done before the next change of what is declared is committed. */
function beforeItIsCommitted({ connection: { commands } }: OpenBroker, work: () => Promise<void>): void {
  const send = commands.sendCommand.bind(commands);
  commands.sendCommand = (command: Parameters<typeof send>[0], stream?: never) => {
    const isCommit =
      /^eval(sha)?$/i.test(command.name) && command.getKeys().some((key) => `${key}`.includes('{topology}'));
    if (!isCommit) return send(command, stream);
    commands.sendCommand = send;
    void work().then(() => send(command, stream));
    return command.promise;
  };
}
