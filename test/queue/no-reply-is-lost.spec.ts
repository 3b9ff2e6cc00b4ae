import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FaultProxy, type RedisServer, startProxy, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

onOneServer('proxy').describe('no reply to a request is lost', () => {
  let server: RedisServer;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await startRedis();
    proxy = await startProxy(server);
  });
  afterAll(stopEverything);

  /** The two sides of a request; one of them, or none, behind the proxy. */
  async function sides(behindProxy: 'asking' | 'answering') {
    const prefix = ownPrefix();
    const asking = await openBroker(behindProxy === 'asking' ? proxy : server, prefix);
    const answering = await openBroker(behindProxy === 'answering' ? proxy : server, prefix);
    await asking.broker.declareQueue({ name: 'q' });
    const close = async (): Promise<void> => {
      await asking.close();
      await answering.close();
    };
    return { asking: asking.broker, answering: answering.broker, close };
  }

  it('when the connection is cut after the responder has sent it, and it does not know', async () => {
    // given
    const { asking, answering, close } = await sides('answering');
    let calls = 0;
    await answering.consumer({ queue: 'q', handler: (n) => `${n} ${++calls}` }).start();
    const cut = proxy.cutBeforeReply(':replies');
    // when
    const reply = await asking.request('', 'q', 'a');
    await cut;
    // then: the connection is back, and no request has got the other reply of the two that were sent
    expect(reply).toBe('a 1');
    expect(await asking.request('', 'q', 'b')).toBe(`b ${calls}`);
    await close();
  });

  it('when the responder has no connection at the moment it wants to send it', async () => {
    // given: a handler during which Redis goes away, for the responder
    const { asking, answering, close } = await sides('answering');
    let calls = 0;
    const handler = async (): Promise<string> => {
      calls++;
      proxy.refuse();
      proxy.cut();
      await waitFor(() => proxy.connectionCount === 0, { what: 'all connections to be gone' });
      return 'the reply';
    };
    await answering.consumer({ queue: 'q', handler }).start();
    // when
    const reply = asking.request('', 'q', {});
    await waitFor(() => calls === 1 && proxy.connectionCount === 0, { what: 'the outage' });
    await proxy.accept();
    // then
    expect(await reply).toBe('the reply');
    await close();
  });

  it('when the connection is cut on which the requester was about to read it', async () => {
    const { asking, answering, close } = await sides('asking');
    await answering.consumer({ queue: 'q', handler: (n) => `${n}!` }).start();
    expect(await asking.request('', 'q', 'warm')).toBe('warm!');
    const cut = proxy.cutBeforeReply('XREAD');
    const replies = Promise.all(Array.from({ length: 50 }, (_, n) => asking.request('', 'q', n)));
    await cut;
    expect(await replies).toEqual(Array.from({ length: 50 }, (_, n) => `${n}!`));
    await close();
  });

  it('and none is repeated in a stream of them, at any cut', async () => {
    // given
    const { asking, answering, close } = await sides('answering');
    const handler = async function* () {
      for (let n = 0; n < 1000; n++) yield n;
    };
    await answering.consumer({ queue: 'q', handler }).start();
    const seen: unknown[] = [];
    // when: twice in the middle
    let cut = proxy.cutBeforeReply(':replies');
    for await (const value of asking.requestStream('', 'q', {})) {
      seen.push(value);
      if (seen.length !== 1 && seen.length !== 500) continue;
      await cut;
      if (seen.length === 1) cut = proxy.cutBeforeReply(':replies');
    }
    // then
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n));
    await close();
  });

  it('when the requester could not report how far it has read', async () => {
    // given: a requester behind the proxy, whose reports of what it has consumed are cut off again and again
    const { asking, answering, close } = await sides('asking');
    const handler = async function* () {
      for (let n = 0; n < 400; n++) yield n;
    };
    await answering.consumer({ queue: 'q', handler }).start();
    const seen: unknown[] = [];
    // when
    for await (const value of asking.requestStream('', 'q', {})) {
      seen.push(value);
      if (seen.length % 100 === 1) proxy.cut();
    }
    // then
    expect(seen).toEqual(Array.from({ length: 400 }, (_, n) => n));
    await close();
  });
});
