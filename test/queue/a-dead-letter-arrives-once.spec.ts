import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Events } from '@millrace/delivery';
import { type BindingDeclaration, type QueueDeclaration, queueKeys } from '@millrace/queue';
import type { Program, RedisServer } from '@millrace/testing';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';
import type { Carriage, LineOrigin } from '../../libs/queue/src/endings/follow-up.js';
import { LineCarrier } from '../../libs/queue/src/endings/line-carrier.js';
import { encodeFrame, noProperties } from '../../libs/queue/src/model/message-frame.js';
import { Router } from '../../libs/queue/src/model/routing.js';
import { emptyTopology } from '../../libs/queue/src/model/topology.js';
import { moveDue } from '../../libs/queue/src/store/due.js';
import { broughtKey } from '../../libs/queue/src/store/keys.js';
import { messageTerms, publish } from '../../libs/queue/src/store/publish.js';
import { PublishCalls } from '../../libs/queue/src/store/publish-calls.js';
import { sized } from '../proof.js';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';
import { spawnConsumer } from './consuming.js';

const kills = sized({ whole: 12, short: 4 });
/** What a queue's slot knows of lines and of the messages that they are of. */
const ofLines = ['ended', 'follow-ups', 'messages', 'ids'];

describe('a dead letter arrives once', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(stopEverything);

  /** Queues whose messages all die, in processes that carry them on only while they consume or `sweep`. */
  async function graveyard(queues: readonly QueueDeclaration[], bindings: readonly BindingDeclaration[] = []) {
    const prefix = ownPrefix();
    const { broker, connection, close } = await openBroker(server, prefix, { upkeep: false });
    const exchanges = [{ name: 'dlx', type: 'direct' }] as const;
    await broker.declare({ exchanges, queues, bindings });
    const redis = server.client();
    const key = (queue: string, name: string) => `${prefix}:{queue:${queue}}:${name}`;
    const lines = (queue: string) => redis.zcard(key(queue, 'ended'));
    /** Gives all up that is in a queue. Resolves when each has been carried, or tried. */
    const giveUp = async (queue: string): Promise<void> => {
      const consuming = await openBroker(server, prefix, { upkeep: false });
      const handler = () => {
        throw new Error('on purpose');
      };
      await consuming.broker.consumer({ queue, retry: false, concurrency: 100, handler }).start();
      const isGivenUp = async () => {
        const { ready, unacked } = await broker.queue(queue).counts();
        return ready + unacked === 0;
      };
      await waitFor(isGivenUp, { what: `all of ${queue} to be given up` });
      await consuming.close();
    };
    /** Another process comes, carries all that it finds, until `isDone`, and goes. */
    const sweep = async (isDone: () => Promise<boolean>): Promise<void> => {
      await redis.del(`${prefix}:{topology}:keeper`);
      const sweeping = await openBroker(server, prefix);
      await sweeping.broker.plan({});
      await waitFor(isDone, { what: 'the lines to be carried' });
      await sweeping.close();
    };
    /** What a queue has of lines; give it back, and the queue is as if it had not heard what became of them. */
    const remember = async (queue: string) => {
      const before = await Promise.all(ofLines.map((name) => redis.dumpBuffer(key(queue, name))));
      return async (): Promise<void> => {
        for (const [index, name] of ofLines.entries()) {
          const bytes = before[index];
          if (bytes) await redis.restore(key(queue, name), 0, bytes, 'REPLACE');
        }
      };
    };
    /** Handles all that is in a queue, and resolves to it. */
    const handleAll = async (queue: string): Promise<unknown[]> => {
      const seen: unknown[] = [];
      const consumer = broker.consumer({ queue, handler: (payload) => void seen.push(payload) });
      await consumer.start();
      const isEmpty = async () => (await redis.hlen(key(queue, 'messages'))) === 0;
      await waitFor(isEmpty, { what: `${queue} to be handled` });
      await consumer.stop();
      return seen;
    };
    const send = async (queue: string, count: number, id: (n: number) => { messageId?: string } = () => ({})) => {
      const bodies = Array.from({ length: count }, (_, n) => n);
      await broker.publishBatch(
        bodies.map((n) => ({ exchange: '', routingKey: queue, body: `${queue} ${n}`, properties: id(n) })),
      );
    };
    const arrived = async (queue: string) => (await broker.queue(queue).counts()).ready;
    return { broker, connection, close, redis, key, prefix, lines, giveUp, sweep, remember, handleAll, send, arrived };
  }

  /** A queue for dead letters that has no room until it is made. */
  async function withoutRoom(queue: string, { broker }: Pick<OpenBroker, 'broker'>) {
    await broker.sendToQueue(queue, 'is full', { messageId: 'is full' });
    return () => broker.queue(queue).remove('is full');
  }

  it('though its carrier was killed before the queue heard of it, and it was handled meanwhile', async () => {
    // given: dead letters that no process could carry yet, with an id and without
    const q = { name: 'q', deadLetter: { queue: 'dead' } };
    const yard = await graveyard([q, { name: 'dead', maxLength: 3, overflow: 'reject-publish' }]);
    const { lines, sweep, remember, handleAll } = yard;
    const [first, second] = [await withoutRoom('dead', yard), 'is full too'];
    await yard.broker.sendToQueue('dead', second, { messageId: second });
    await yard.broker.sendToQueue('dead', 3, { messageId: '3' });
    await yard.send('q', 2, (n) => (n === 0 ? { messageId: 'm' } : {}));
    await yard.giveUp('q');
    expect(await lines('q')).toBe(2);
    const asBefore = await remember('q');
    // when: they are carried and handled, and the queue is as it was before it heard of that
    await first();
    for (const id of [second, '3']) await yard.broker.queue('dead').remove(id);
    await sweep(async () => (await lines('q')) === 0);
    const handled = await handleAll('dead');
    await asBefore();
    expect(await lines('q')).toBe(2);
    await sweep(async () => (await lines('q')) === 0);
    // then
    expect(handled.sort()).toEqual(['q 0', 'q 1']);
    expect(await handleAll('dead')).toEqual([]);
    expect(await yard.redis.exists(yard.key('q', 'messages'), yard.key('q', 'ids'), yard.key('q', 'follow-ups'))).toBe(
      0,
    );
    await yard.close();
  });

  it('and the queue recognises a repetition for days after the last one, not for ever', async () => {
    // given
    const yard = await graveyard([{ name: 'q', deadLetter: { queue: 'dead' } }, { name: 'dead' }]);
    await yard.send('q', 1);
    // when
    await yard.giveUp('q');
    // then
    const days = (await yard.redis.pttl(yard.key('dead', 'brought:q'))) / 86_400_000;
    expect(days).toBeGreaterThan(7);
    expect(days).toBeLessThan(31);
    await yard.close();
  });

  it('and the queue that it comes to remembers only what may still be repeated', async () => {
    // given
    const yard = await graveyard([{ name: 'q', deadLetter: { queue: 'dead' } }, { name: 'dead' }]);
    // when
    await yard.send('q', 1000);
    await yard.giveUp('q');
    // then: the lines of three pieces, and the floor
    expect(await yard.arrived('dead')).toBe(1000);
    expect(await yard.redis.zcard(yard.key('dead', 'brought:q'))).toBeLessThanOrEqual(3 * 200 + 1);
    expect(await yard.redis.exists(yard.key('dead', 'seen'))).toBe(0);
    await yard.close();
  });

  it.each([
    ['a queue that is declared', [{ name: 'q', deadLetter: { queue: 'q.dead-letters' } }, { name: 'q.dead-letters' }]],
    ['the queue that the first one creates', [{ name: 'q', deadLetter: { queue: 'q.dead-letters' } }]],
  ])('in the order of the deaths, however many are carried, in %s', async (_, queues) => {
    // given: two pieces of messages, of one call, that expire one after the other, and no upkeep that removes them
    const yard = await graveyard(queues);
    const bodies = Array.from({ length: 240 }, (_, n) => n);
    await yard.broker.publishBatch(
      bodies.map((n) => ({ exchange: '', routingKey: 'q', body: n, properties: { expirationMs: 240 - n } })),
    );
    // when
    await yard.sweep(async () => (await yard.arrived('q.dead-letters')) === 240);
    // then
    const { messages } = await yard.broker.queue('q.dead-letters').deadLetters.list({ limit: 300 });
    expect(messages.map((message) => message.payload())).toEqual(bodies.toReversed());
    await yard.close();
  });

  it('though lines are sent before those in front of them are removed', async () => {
    // given: three pieces of lines, and results that wait
    const yard = await graveyard([{ name: 'q', deadLetter: { queue: 'dead' } }]);
    await yard.broker.publishBatch(
      Array.from({ length: 500 }, (_, body) => ({
        ...{ exchange: '', routingKey: 'q', body },
        properties: { expirationMs: 1 },
      })),
    );
    const keys = queueKeys(yard.prefix, 'q');
    const areDead = async () => {
      await moveDue(yard.connection.commands, keys, 1);
      return (await yard.lines('q')) === 500;
    };
    await waitFor(areDead, { what: 'all to expire' });
    const floors: string[] = [];
    const ends: (() => void)[] = [];
    const carry = async (_: unknown, { floor }: LineOrigin): Promise<Carriage> => {
      floors.push(floor);
      return { result: new Promise((resolve) => ends.push(() => resolve({ kind: 'arrived' }))) };
    };
    const carrier = new LineCarrier(
      yard.connection,
      { 'dead-letter': { carry, arrived: () => undefined, parked: () => undefined } },
      new Events(),
    );
    // when
    carrier.carry('q');
    await waitFor(() => floors.length === 400, { what: 'two pieces to be on their way' });
    // then: the targets forget none of the lines that are still there
    expect(new Set(floors)).toEqual(new Set([(await yard.redis.zrange(keys.ended, '0', '0', 'WITHSCORES'))[1]]));
    await waitFor(
      () => {
        for (const end of ends.splice(0)) end();
        return floors.length === 500;
      },
      { what: 'the last piece' },
    );
    for (const end of ends.splice(0)) end();
    await carrier.idle();
    expect(await yard.lines('q')).toBe(0);
    await yard.close();
  });

  it('while several processes carry simultaneously', async () => {
    // given: lines that no process could carry yet
    const q = { name: 'q', deadLetter: { queue: 'dead' } };
    const yard = await graveyard([q, { name: 'dead', maxBytes: 1_000_000, overflow: 'reject-publish' }]);
    await yard.broker.sendToQueue('dead', 'x'.repeat(999_800), { messageId: 'is full' });
    await yard.send('q', 300);
    await yard.giveUp('q');
    expect(await yard.lines('q')).toBe(300);
    await yard.broker.declareQueue(
      { name: 'dead', maxBytes: 10_000_000, overflow: 'reject-publish' },
      { onChange: 'apply' },
    );
    await yard.broker.queue('dead').remove('is full');
    // when: each of four processes sees one more die
    const others = await Promise.all([1, 2, 3, 4].map(() => openBroker(server, yard.prefix, { upkeep: false })));
    const died: unknown[] = [];
    const handler = () => {
      throw new Error('on purpose');
    };
    for (const { broker } of others) {
      broker.events.on('died', (event) => died.push(event));
      await broker.consumer({ queue: 'q', retry: false, prefetch: 1, handler }).start();
    }
    await yard.send('q', 8);
    // then
    await waitFor(async () => (await yard.lines('q')) === 0 && (await yard.arrived('dead')) >= 308, {
      what: 'all dead letters',
    });
    expect(await yard.arrived('dead')).toBe(308);
    const { 'dead-lettered': counted } = await yard.redis.hgetall(yard.key('q', 'state'));
    expect(counted).toBe('308');
    for (const { close } of others) await close();
    await yard.close();
  });

  it(`through ${kills} kills of the processes that carry it`, async () => {
    // given: three processes at a time, whose handler fails
    const yard = await graveyard([{ name: 'q', deadLetter: { queue: 'dead' }, deliveryLimit: 1000 }, { name: 'dead' }]);
    const options = { leaseMs: 3_600_000, retry: false as const, concurrency: 50, prefetch: 100 };
    const spawn = (): Promise<Program> => spawnConsumer(server, yard.prefix, 'q', options);
    const running = await Promise.all([spawn(), spawn(), spawn()]);
    const bodies = Array.from({ length: kills * 300 }, (_, n) => n);
    // when
    for (let kill = 0; kill < kills; kill++) {
      const victim = running[kill % 3];
      const replacement = spawn();
      const before = victim?.lines.length ?? 0;
      const some = bodies.slice(kill * 300, (kill + 1) * 300);
      await yard.broker.publishBatch(
        some.map((n) => ({ exchange: '', routingKey: 'q', body: { n, waitMs: n % 20, fail: 'on purpose' } })),
      );
      await waitFor(() => (victim?.lines.length ?? 0) > before + 40, { what: 'the victim to be at work' });
      await victim?.kill();
      running[kill % 3] = await replacement;
    }
    // then
    const isEmpty = async () => (await yard.redis.hlen(yard.key('q', 'messages'))) === 0;
    await waitFor(isEmpty, { what: 'the queue to be empty', timeoutMs: 40_000 });
    const handled = (await yard.handleAll('dead')).map((payload) => (payload as { n: number }).n);
    expect(handled.sort((a, b) => a - b)).toEqual(bodies);
    await yard.close();
  }, 120_000);

  it('though others of its exchange refuse it for long, and those get it when they have room', async () => {
    // given: an exchange for dead letters with two queues, of which one is full
    const q = { name: 'q', deadLetter: { exchange: 'dlx', routingKey: 'dead' } };
    const bindings = ['open', 'full'].map((queue) => ({ exchange: 'dlx', queue, routingKey: 'dead' }));
    const full = { name: 'full', maxLength: 1, overflow: 'reject-publish' } as const;
    const yard = await graveyard([q, { name: 'open' }, full], bindings);
    const makeRoom = await withoutRoom('full', yard);
    await yard.send('q', 1);
    // when: it is tried several times, and others die meanwhile
    await yard.giveUp('q');
    const inOpen = await yard.handleAll('open');
    await yard.send('q', 1);
    await yard.giveUp('q');
    await makeRoom();
    await yard.sweep(async () => (await yard.arrived('full')) === 1);
    const inFull = await yard.handleAll('full');
    await yard.sweep(async () => (await yard.lines('q')) === 0);
    // then
    expect([...inFull, ...(await yard.handleAll('full'))].sort()).toEqual(['q 0', 'q 0']);
    expect([...inOpen, ...(await yard.handleAll('open'))].sort()).toEqual(['q 0', 'q 0']);
    await yard.close();
  });

  it('and those that a full queue refuses hold back none that goes elsewhere', async () => {
    // given: more dead letters for a full queue than are carried together, and behind them one for another
    const bindings = ['full', 'open'].map((queue) => ({ exchange: 'dlx', queue, routingKey: queue }));
    const full = { name: 'full', maxLength: 1, overflow: 'reject-publish' } as const;
    const yard = await graveyard(
      [{ name: 'q', deadLetter: { exchange: 'dlx' } }, { name: 'open' }, full],
      [...bindings],
    );
    await yard.broker.declare({
      exchanges: [{ name: 'in', type: 'fanout' }],
      bindings: [{ exchange: 'in', queue: 'q' }],
    });
    await withoutRoom('full', yard);
    const some = Array.from({ length: 250 }, (_, body) => ({ exchange: 'in', routingKey: 'full', body }));
    await yard.broker.publishBatch(some);
    await yard.giveUp('q');
    await yard.broker.publish('in', 'open', 'goes elsewhere');
    await yard.giveUp('q');
    // when
    await yard.sweep(async () => (await yard.arrived('open')) === 1);
    // then
    expect(await yard.lines('q')).toBe(250);
    await yard.close();
  });

  it('at the queue of its own dead letters when the one declared is deleted', async () => {
    // given
    const deadLetter = { queue: 'dead' };
    const yard = await graveyard([
      { name: 'q', deadLetter },
      { name: 'dead', maxLength: 1, overflow: 'reject-publish' },
    ]);
    await withoutRoom('dead', yard);
    await yard.send('q', 1);
    await yard.giveUp('q');
    expect(await yard.lines('q')).toBe(1);
    // when
    await yard.broker.deleteQueue('dead');
    await yard.sweep(async () => (await yard.lines('q')) === 0);
    // then
    expect(await yard.handleAll('q.dead-letters')).toEqual(['q 0']);
    await yard.close();
  });

  it('through an internal exchange', async () => {
    // given
    const yard = await graveyard([{ name: 'q', deadLetter: { exchange: 'inner' } }, { name: 'dead' }]);
    await yard.broker.declare({
      exchanges: [{ name: 'inner', type: 'fanout', internal: true }],
      bindings: [{ exchange: 'inner', queue: 'dead' }],
    });
    await yard.send('q', 1);
    // when
    await yard.giveUp('q');
    // then
    expect(await yard.handleAll('dead')).toEqual(['q 0']);
    await yard.close();
  });

  it('though its queue was deleted and declared again while lines were under way', async () => {
    // given: lines of a queue that is deleted
    const q = { name: 'q', deadLetter: { queue: 'dead' } };
    const yard = await graveyard([q, { name: 'dead', maxLength: 300, overflow: 'reject-publish' }]);
    await yard.send('q', 200, (n) => ({ messageId: `m${n}` }));
    await yard.giveUp('q');
    await yard.send('q', 200, (n) => ({ messageId: `n${n}` }));
    await yard.giveUp('q');
    expect(await yard.lines('q')).toBe(100);
    await yard.broker.deleteQueue('q');
    await yard.broker.declareQueue(q);
    // when: messages of the same ids die in the new one
    await yard.handleAll('dead');
    await yard.send('q', 200, (n) => ({ messageId: `n${n}` }));
    await yard.giveUp('q');
    // then
    expect((await yard.handleAll('dead')).sort()).toEqual(Array.from({ length: 200 }, (_, n) => `q ${n}`).sort());
    expect(await yard.lines('q')).toBe(0);
    await yard.close();
  });

  it('though its queue lost writes, and counts again from numbers that were used before', async () => {
    // given: a process whose clock was ahead told the queue for dead letters that no line below a number comes any more
    const yard = await graveyard([{ name: 'q', deadLetter: { queue: 'dead' } }, { name: 'dead' }]);
    await yard.send('q', 1);
    await yard.giveUp('q');
    const brought = yard.key('dead', 'brought:q');
    const floor = Number(await yard.redis.zscore(brought, 'floor'));
    await yard.redis.zadd(brought, floor + 2_000_000, 'floor');
    // when
    await yard.send('q', 1);
    await yard.giveUp('q');
    await yard.sweep(async () => (await yard.lines('q')) === 0);
    // then
    expect(await yard.handleAll('dead')).toEqual(['q 0', 'q 0']);
    await yard.close();
  });

  it('and a carrier that comes late brings nothing, whatever became of the line', async () => {
    // given: a queue that was brought three lines of a source, and refused one
    const yard = await graveyard([{ name: 'dead', maxLength: 3, overflow: 'reject-publish' }]);
    const keys = queueKeys(yard.prefix, 'dead');
    const version = Number(await yard.redis.hget(keys.state, 'topology'));
    const router = new Router({ ...emptyTopology, version });
    const calls = new PublishCalls(yard.prefix, 'dead', 'p', 60_000);
    let last = 0;
    const parts = { priority: 0, codecId: 1, timestamp: 1, exchange: '', routingKey: 'dead', properties: noProperties };
    const frame = encodeFrame({ ...parts, headers: {}, body: '1' }, 'dead');
    const bring = async (number: number, floor: number) => {
      const line = { number: `${number}`, floor: `${floor}` };
      const terms = messageTerms({ priority: 0, delayMs: undefined, expirationMs: undefined, hasId: false, line });
      const messages = [{ entry: `~line-${number}`, frame, terms }];
      const content = { number: ++last, router, messages, slots: ['dead'], source: 'q', picks: () => undefined };
      const answer = await publish(yard.redis, calls.call(content, 0));
      return answer.kind === 'done' ? (answer.exceptions[0]?.result ?? 'entered') : answer.kind;
    };
    for (const number of [1, 2, 3]) expect(await bring(number, 1)).toBe('entered');
    expect(await bring(4, 1)).toBe('refused');
    // when: all are handled, and others bring them again
    await yard.handleAll('dead');
    const again = [await bring(1, 1), await bring(3, 1), await bring(4, 1)];
    // then: what was said stands, until the source has heard it, and then none comes any more
    expect(again).toEqual(['duplicate', 'duplicate', 'refused']);
    expect(await bring(5, 5)).toBe('entered');
    expect(await yard.redis.zrange(broughtKey(yard.prefix, 'dead', 'q'), '0', '-1')).toEqual(['floor', '~line-5']);
    expect([await bring(2, 1), await bring(4, 1)]).toEqual(['refused', 'refused']);
    await yard.close();
  });

  it.each([
    ['queues', [{ name: 'a' }, { name: 'b' }], ['a', 'b']],
    ['shards', [{ name: 'a', shards: 3 }], ['a']],
  ])('in one queue that %s share, though copies have the same ids', async (_, sources, names) => {
    // given: lines of both that no process could carry yet
    const deadLetter = { queue: 'dead' };
    const declared = sources.map((source) => ({ ...source, deadLetter }));
    const yard = await graveyard([...declared, { name: 'dead', maxBytes: 1_000_000, overflow: 'reject-publish' }]);
    await yard.broker.sendToQueue('dead', 'x'.repeat(999_800), { messageId: 'is full' });
    for (const name of names) await yard.send(name, 30, (n) => (n % 2 === 0 ? { messageId: `m${n}` } : {}));
    for (const name of names) await yard.giveUp(name);
    const slots = sources.flatMap(({ name, shards }: QueueDeclaration) =>
      shards === undefined ? [name] : Array.from({ length: shards }, (_none, shard) => `${name}:${shard}`),
    );
    const left = async () => (await Promise.all(slots.map(yard.lines))).reduce((sum, count) => sum + count, 0);
    expect(await left()).toBe(30 * names.length);
    const asBefore = await Promise.all(slots.map(yard.remember));
    // when: all are carried, and carried again by processes that do not know of it
    await yard.broker.queue('dead').remove('is full');
    await yard.sweep(async () => (await left()) === 0);
    const handled = await yard.handleAll('dead');
    for (const restore of asBefore) await restore();
    expect(await left()).toBe(30 * names.length);
    await yard.sweep(async () => (await left()) === 0);
    // then
    const expected = names.flatMap((name) => Array.from({ length: 30 }, (_none, n) => `${name} ${n}`));
    expect(handled.sort()).toEqual(expected.sort());
    expect(await yard.handleAll('dead')).toEqual([]);
    await yard.close();
  });
});
