import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Replicated, startReplicated, stopEverything } from '@millrace/testing';

describe('a primary with two replicas', () => {
  let replicated: Replicated;
  beforeAll(async () => {
    replicated = await startReplicated({ replicas: 2, password: 'secret' });
  });
  afterAll(stopEverything);

  it('is linked from the first moment: WAIT counts both', async () => {
    const client = replicated.client();
    await client.set('a', '1');
    expect(await client.wait(2, 5_000)).toBe(2);
  });

  it('loses at a failover what the new primary had not received', async () => {
    // given: a replica that is cut off while the primary takes a write, and then the primary dies
    const old = replicated.primary;
    const [replica = old] = replicated.replicas;
    await replicated.cutOff(replica);
    await old.client().set('lost', '1');
    await old.kill();
    // when
    await replicated.failOver(replica);
    // then
    const client = replicated.client();
    expect(await client.mget('a', 'lost')).toEqual(['1', null]);
    await client.set('b', '2');
    expect(await client.wait(1, 5_000)).toBe(1);
    expect(replicated.primary).toBe(replica);
  });
});
