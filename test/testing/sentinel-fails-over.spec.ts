import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Replicated,
  type Sentinels,
  startReplicated,
  startSentinels,
  stopEverything,
  waitFor,
} from '@millrace/testing';

describe('three Sentinels that watch a primary and a replica', () => {
  let replicated: Replicated;
  let sentinels: Sentinels;
  beforeAll(async () => {
    replicated = await startReplicated({ password: 'a "secret"' });
    sentinels = await startSentinels(replicated);
  });
  afterAll(stopEverything);

  it('make the replica the primary when the primary dies, and the client follows', async () => {
    // given
    const client = sentinels.client();
    await client.set('a', '1');
    await client.wait(1, 5_000);
    expect(await sentinels.primary()).toBe(replicated.primary);
    const [replica] = replicated.replicas;
    // when
    await replicated.primary.kill();
    // then
    await waitFor(async () => (await sentinels.primary()) === replica, { what: 'the failover', timeoutMs: 20_000 });
    await waitFor(async () => (await client.set('b', '2')) === 'OK', { what: 'the client to find the new primary' });
    expect(await client.get('a')).toBe('1');
  });
});
