import type { RedisClient } from '@millrace/redis';
import fc from 'fast-check';
import { entryInLife } from '../../libs/queue/src/model/entry.js';
import { encodeFrame, noProperties } from '../../libs/queue/src/model/message-frame.js';
import type { QueueSettings } from '../../libs/queue/src/model/queue-settings.js';
import { Router } from '../../libs/queue/src/model/routing.js';
import { emptyTopology } from '../../libs/queue/src/model/topology.js';
import { unpark } from '../../libs/queue/src/store/browse.js';
import { type ConsumerKeys, consumerKeys } from '../../libs/queue/src/store/consumer-keys.js';
import { endRegistration } from '../../libs/queue/src/store/departure.js';
import { moveDue } from '../../libs/queue/src/store/due.js';
import { linesCarried, nextLines } from '../../libs/queue/src/store/ended.js';
import { beat } from '../../libs/queue/src/store/heartbeat.js';
import { findMessage } from '../../libs/queue/src/store/job.js';
import { type QueueKeys, queueKeys, waitingKeys } from '../../libs/queue/src/store/keys.js';
import { messageTerms, publish } from '../../libs/queue/src/store/publish.js';
import { type CallContent, PublishCalls } from '../../libs/queue/src/store/publish-calls.js';
import { writeQueue } from '../../libs/queue/src/store/queue-slot.js';
import { registerConsumer } from '../../libs/queue/src/store/registration.js';
import { runSettleCommands, type SettleCommand } from '../../libs/queue/src/store/settle.js';
import { turn } from '../../libs/queue/src/store/turn.js';
import { nextWakeUp } from '../../libs/queue/src/store/wake.js';

const who = fc.nat(3);
const some = fc.nat(4);
const kinds = fc.constantFrom('back', 'head', 'release', 'retry', 'dead', 'drop', 'park');

/** What may happen to a queue next. Numbers pick one of what there is. */
export const happenings = fc.oneof(
  fc.record({
    what: fc.constant('publish'),
    ids: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
    priority: some,
  }),
  fc.record({ what: fc.constant('publish-later'), ids: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }) }),
  fc.record({ what: fc.constant('publish-mortal'), ids: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }) }),
  fc.record({ what: fc.constant('register'), priority: fc.nat(1) }),
  fc.record({ what: fc.constantFrom('turn', 'turn', 'wake'), who, wanted: some, acks: some }),
  fc.record({ what: fc.constant('settle'), who, kind: kinds }),
  fc.record({ what: fc.constantFrom('beat', 'leave', 'die', 'lease-ends'), who }),
  fc.record({ what: fc.constant('cancel'), id: fc.nat(5) }),
  fc.record({ what: fc.constantFrom('time-passes', 'upkeep', 'carry', 'unpark') }),
);

export type Happening = {
  readonly what: string;
  readonly ids?: readonly number[];
  readonly priority?: number;
  readonly who?: number;
  readonly wanted?: number;
  readonly acks?: number;
  readonly kind?: Exclude<SettleCommand['kind'], never>;
  readonly id?: number;
};

interface Consumer {
  readonly keys: ConsumerKeys;
  /** What it believes to hold. */
  readonly held: Set<string>;
  isRegistered: boolean;
  wakeUp: string;
  turns: number;
  claimed: string[];
}

const leaseMs = 3_600_000;

/** A queue driven through the store's functions, as its consumers and publishers do, and what must be true of it all the time. */
export class QueueUnderSchedule {
  readonly #keys: QueueKeys;
  readonly #consumers: Consumer[] = [];
  /** Entries of what was published and is not known to have ended. */
  readonly #alive = new Set<string>();
  /** Entries of what was cancelled while a consumer held it. */
  readonly #cancelled = new Set<string>();
  /** The last entry that a message id had. */
  readonly #entries = new Map<string, string>();
  readonly #wrong: string[] = [];
  readonly #publishCalls: PublishCalls;
  readonly #everyPublish: Pick<CallContent, 'router' | 'source' | 'picks'>;
  #calls = 0;

  private constructor(
    private readonly client: RedisClient,
    /** Who looks at the keys, and lets time pass: may do everything. */
    private readonly owner: RedisClient,
    private readonly prefix: string,
    private readonly queue: QueueSettings,
  ) {
    this.#keys = queueKeys(prefix, queue.name);
    this.#publishCalls = new PublishCalls(prefix, queue.name, 'p', 60_000);
    const router = new Router({ ...emptyTopology, version: 1, queues: new Map([[queue.name, queue]]) });
    this.#everyPublish = { router, source: undefined, picks: () => undefined };
  }

  static async start(
    client: RedisClient,
    owner: RedisClient,
    prefix: string,
    queue: QueueSettings,
  ): Promise<QueueUnderSchedule> {
    await writeQueue(client, prefix, queue, 1);
    return new QueueUnderSchedule(client, owner, prefix, queue);
  }

  async make(happening: Happening): Promise<void> {
    const { what, ids = [], priority = 0 } = happening;
    const consumer = this.#consumers[(happening.who ?? 0) % Math.max(1, this.#consumers.length)];
    if (what === 'publish') await this.#publish(ids, priority, {});
    else if (what === 'publish-later') await this.#publish(ids, 0, { delayMs: 3_600_000 });
    else if (what === 'publish-mortal') await this.#publish(ids, 0, { expirationMs: 3_600_000 });
    else if (what === 'register') await this.#register(priority);
    else if (what === 'cancel') await this.#cancel(`m${happening.id}`);
    else if (what === 'time-passes') await this.#passTime();
    else if (what === 'upkeep') await this.#upkeep();
    else if (what === 'carry') await this.#carry();
    else if (what === 'unpark') await this.#unpark();
    else if (consumer !== undefined) await this.#act(consumer, happening);
  }

  /** Lets everything come to its end: every message must reach one. */
  async drain(): Promise<void> {
    for (const consumer of this.#consumers) await this.#act(consumer, { what: 'die' });
    await this.#register(0);
    for (let round = 0; round < 20 && this.#alive.size > 0; round++) {
      await this.#passTime();
      await this.#upkeep();
      await this.#unpark();
      const last = this.#consumers.at(-1);
      if (last !== undefined) await this.#act(last, { what: 'turn', wanted: 100, acks: 100 });
      await this.#carry();
    }
  }

  unfinished(): string[] {
    return [...this.#alive];
  }

  /** What is wrong with the state in Redis, and with the replies up to now. */
  async problems(): Promise<string[]> {
    const lists = await Promise.all(
      waitingKeys(this.#keys, this.queue.priorities).map((key) => this.owner.lrange(key, '0', '-1')),
    );
    const [frames, delayed, parked, dying, ids, stale, bytes, expired] = await Promise.all([
      this.owner.hgetall(this.#keys.messages),
      this.owner.zrange(this.#keys.delayed, '0', '-1'),
      this.owner.zrange(this.#keys.parked, '0', '-1'),
      this.owner.zrange(this.#keys.ended, '0', '-1'),
      this.owner.hgetall(this.#keys.ids),
      this.owner.hget(this.#keys.state, 'stale'),
      this.owner.hget(this.#keys.state, 'bytes'),
      this.owner.zrangebyscore(this.#keys.expiry, '-inf', 1000 * Number((await this.owner.time())[0])),
    ]);
    const unacked = (await Promise.all(this.#consumers.map(({ keys }) => this.owner.smembers(keys.unacked)))).flat();
    const problems = [...this.#wrong];
    const ready = lists.flat();
    // What a turn met after its time was over is in no list: it ends with the next look at what is due.
    const over = expired.filter((entry) => entry in frames && !ready.includes(entry));
    const waiting = new Set([...ready.filter((entry) => entry in frames), ...over]);
    if (ready.length - waiting.size !== Number(stale ?? 0)) {
      problems.push(`${ready.length} entries are ready, ${waiting.size} messages, and ${stale} stale ones counted`);
    }
    const places = [...waiting, ...delayed, ...parked, ...unacked, ...dying].map(entryInLife);
    for (const [id, entry] of Object.entries(ids)) {
      if (!(entry in frames)) problems.push(`the id ${id} leads to ${entry}, which has ended`);
    }
    const withoutId = [...this.#alive].filter((entry) => !Object.values(ids).map(entryInLife).includes(entry));
    for (const entry of withoutId) problems.push(`${entry} is not found by its id`);
    for (const id of new Set(places)) {
      const count = places.filter((other) => other === id).length;
      if (count > 1) problems.push(`${id} is in ${count} places`);
      if (!this.#alive.has(id)) problems.push(`${id} has ended and is there`);
    }
    for (const id of this.#alive) if (!places.includes(id)) problems.push(`${id} is nowhere`);
    if (Object.keys(frames).length !== places.length)
      problems.push(`${Object.keys(frames).length} frames, ${places.length} places`);
    const readyBytes = [...waiting].reduce((sum, id) => sum + Buffer.byteLength(frames[id] ?? ''), 0);
    if (this.queue.maxBytes !== undefined && readyBytes !== Number(bytes ?? 0)) {
      problems.push(`${readyBytes} bytes are ready, ${bytes} counted`);
    }
    return [...problems, ...(await this.#keptWrongly(frames))];
  }

  /** What is wrong with the completed messages that are kept. */
  async #keptWrongly(frames: Record<string, string>): Promise<string[]> {
    const { completed, completedMessages } = this.#keys;
    const [entries, fields] = await Promise.all([
      this.owner.zrange(completed, '0', '-1'),
      this.owner.hgetall(completedMessages),
    ]);
    const isId = (field: string) => field.startsWith('=');
    const records = Object.keys(fields).filter((field) => !isId(field));
    const problems = entries.filter((entry) => entry in frames).map((entry) => `${entry} is completed and lives`);
    if (entries.length > (this.queue.keepCompleted?.count ?? 0)) problems.push(`${entries.length} are kept`);
    if (records.toSorted().join() !== entries.toSorted().join()) problems.push(`${entries} are kept, and ${records}`);
    for (const [field, entry] of Object.entries(fields)) {
      if (isId(field) && !entries.includes(entry))
        problems.push(`the id ${field} leads to ${entry}, which is not kept`);
    }
    return problems;
  }

  async #publish(ids: readonly number[], priority: number, times: { delayMs?: number; expirationMs?: number }) {
    const unique = [...new Set(ids)].map((id) => `m${id}`);
    const level = Math.min(priority, 2);
    const parts = {
      priority: level,
      codecId: 1,
      timestamp: 1,
      exchange: '',
      routingKey: 'q',
      properties: noProperties,
    };
    const { delayMs, expirationMs } = times;
    const number = ++this.#calls;
    const messages = unique.map((id) => ({
      entry: `.${id}-${number}`,
      frame: encodeFrame({ ...parts, id, headers: {}, body: 'body' }, 'q'),
      terms: messageTerms({ priority: level, delayMs, expirationMs, hasId: true }),
    }));
    const { router, source, picks } = this.#everyPublish;
    const slots = [this.queue.name];
    const call = this.#publishCalls.call({ number, router, messages, slots, source, picks }, 0);
    const answer = await publish(this.client, call);
    const exceptions = answer.kind === 'done' ? answer.exceptions : this.#note(`the publish was ${answer.kind}`, []);
    for (const [index, id] of unique.entries()) {
      if (exceptions.some(({ message, result }) => message === index && result === 'duplicate')) {
        if (!this.#isAlive(id)) this.#note(`${id} was taken for a duplicate`, undefined);
      } else if (this.#isAlive(id)) this.#note(`${id} was taken twice`, undefined);
      else {
        this.#entries.set(id, `.${id}-${number}`);
        this.#alive.add(`.${id}-${number}`);
      }
    }
  }

  async #register(priority: number): Promise<void> {
    const place = { prefix: this.prefix, queue: this.queue.name };
    const request = { priority, unique: `u${this.#consumers.length}`, leaseMs, info: '{}', owner: '' };
    const registered = await registerConsumer(this.client, place, request);
    if (registered === undefined || registered === 'exclusive') return this.#note('could not register', undefined);
    const keys = consumerKeys(this.prefix, this.queue.name, registered.consumer, this.queue.priorities);
    this.#consumers.push({ keys, held: new Set(), isRegistered: true, wakeUp: '', turns: 0, claimed: [] });
  }

  async #act(consumer: Consumer, happening: Happening): Promise<void> {
    const { keys } = consumer;
    switch (happening.what) {
      case 'turn':
        return this.#turn(consumer, happening);
      case 'wake': {
        const wakeUp = await nextWakeUp(this.client, this.#keys.wake, 1);
        if (wakeUp === undefined) return;
        consumer.wakeUp = wakeUp.consumer;
        if (wakeUp.offer !== undefined) consumer.claimed.push(wakeUp.offer.message.id);
        return this.#turn(consumer, happening);
      }
      case 'settle':
        return this.#settle(consumer, happening.kind ?? 'drop');
      case 'beat': {
        const heartbeat = await beat(this.client, keys, { leaseMs, isWaiting: true, info: '' });
        if ((heartbeat !== undefined) !== consumer.isRegistered)
          this.#note(`${keys.consumer}: its beat says another thing`, undefined);
        return;
      }
      case 'lease-ends': {
        await this.owner.zadd(this.#keys.consumers, 'XX', 1, keys.consumer);
        return this.#end(consumer, 'expired');
      }
      default:
        return this.#end(consumer, happening.what === 'leave' ? 'leaves' : await this.#deadlineOf(consumer));
    }
  }

  async #turn(consumer: Consumer, { wanted = 1, acks = 0 }: Happening): Promise<void> {
    const acknowledged = [...consumer.held].slice(0, acks);
    const { wakeUp, claimed } = consumer;
    consumer.claimed = [];
    consumer.wakeUp = '';
    const result = await turn(this.client, consumer.keys, {
      wanted,
      maxBytes: undefined,
      wakeUp,
      known: consumer.held.size - acknowledged.length + claimed.length,
      leaseMs,
      number: { own: (consumer.turns % 999) + 1, before: consumer.turns === 0 ? '' : ((consumer.turns - 1) % 999) + 1 },
      claimed,
      acknowledged,
    });
    if (result !== undefined && result.unknown > 0)
      this.#note(`${consumer.keys.consumer} holds ${result.unknown} that it was not given`, undefined);
    if ((result !== undefined) !== consumer.isRegistered) this.#note('a turn without a registration', undefined);
    if (result === undefined) return;
    consumer.turns++;
    for (const id of acknowledged) {
      if (!result.notMine.includes(id)) this.#ended(consumer, id);
      else this.#note(`${id} was not its holder's`, undefined);
    }
    const taken = [...[...result.taken].map(({ id }) => id), ...claimed.filter((id) => !result.notMine.includes(id))];
    for (const id of taken) {
      const other = this.#consumers.find(({ isRegistered, held }) => isRegistered && held.has(id));
      if (other !== undefined)
        this.#note(`${id} is held by ${other.keys.consumer} and was given to ${consumer.keys.consumer}`, undefined);
      consumer.held.add(id);
    }
    if (this.queue.singleActiveConsumer && result.taken.size > 0) {
      const active = await this.owner.hget(this.#keys.state, 'active');
      if (active !== consumer.keys.consumer)
        this.#note(`${consumer.keys.consumer} got messages, and ${active} is active`, undefined);
    }
  }

  async #settle(consumer: Consumer, kind: NonNullable<Happening['kind']>): Promise<void> {
    const [id] = consumer.held;
    if (id === undefined) return;
    const settleCommand = {
      id,
      kind,
      priority: 0,
      delayMs: 3_600_000,
      increment: 65_536,
      handled: '',
      why: '{"reason":"failed"}',
    };
    const notMine = await runSettleCommands(this.client, consumer.keys, [settleCommand as SettleCommand]);
    if ((notMine !== undefined) !== consumer.isRegistered) this.#note('a settlement without a registration', undefined);
    if (notMine === undefined) return;
    if (notMine.length > 0) this.#note(`${id} was not its holder's to ${kind}`, undefined);
    this.#cancelled.delete(id);
    if (kind === 'drop') this.#ended(consumer, id);
    consumer.held.delete(id);
  }

  /** Its process goes on, and does not know: what it does from now on must be refused. */
  async #end(consumer: Consumer, why: string): Promise<void> {
    if (!consumer.isRegistered) return;
    const place = { prefix: this.prefix, queue: this.queue.name, priorities: this.queue.priorities };
    if (await endRegistration(this.client, place, consumer.keys.consumer, why)) consumer.isRegistered = false;
    else this.#note(`${consumer.keys.consumer} lives on`, undefined);
    for (const entry of consumer.held) if (this.#cancelled.has(entry)) this.#alive.delete(entry);
  }

  async #deadlineOf({ keys }: Consumer): Promise<string> {
    return (await this.owner.zscore(this.#keys.consumers, keys.consumer)) ?? '';
  }

  async #cancel(id: string): Promise<void> {
    const found = await findMessage(this.client, { prefix: this.prefix, queue: this.queue.name }, id, 'cancel');
    if ((found !== undefined) !== this.#isAlive(id)) this.#note(`${id} is ${found?.state ?? 'not found'}`, undefined);
    if (found?.state === 'running') this.#cancelled.add(found.entry);
    else if (found !== undefined && found.state !== 'dying') this.#alive.delete(found.entry);
  }

  #isAlive(id: string): boolean {
    return this.#alive.has(this.#entries.get(id) ?? '');
  }

  /** Everything that waits for a time is due. */
  async #passTime(): Promise<void> {
    for (const key of [this.#keys.delayed, this.#keys.expiry]) {
      for (const id of await this.owner.zrange(key, '0', '-1')) await this.owner.zadd(key, 'XX', 1, id);
    }
  }

  /** Where dead letters have no other place, an expired message is gone. */
  async #upkeep(): Promise<void> {
    const before = new Set(await this.owner.hkeys(this.#keys.messages));
    while ((await moveDue(this.client, this.#keys, this.queue.priorities)).mayHaveMore);
    const after = new Set((await this.owner.hkeys(this.#keys.messages)).map(entryInLife));
    for (const entry of before) if (!after.has(entryInLife(entry))) this.#alive.delete(entry);
  }

  /** Dead letters arrive where they belong, from where they may be published again. */
  async #carry(): Promise<void> {
    const { lines = [] } = (await nextLines(this.client, this.#keys, undefined)) ?? {};
    const heard = await linesCarried(
      this.client,
      this.#keys,
      new Map(lines.map((line) => [line, { kind: 'arrived' }])),
    );
    for (const { entry } of heard) this.#alive.delete(entryInLife(entry));
  }

  async #unpark(): Promise<void> {
    await unpark(this.client, this.#keys, this.queue.priorities, await this.owner.zrange(this.#keys.parked, '0', '-1'));
  }

  #ended(consumer: Consumer, id: string): void {
    consumer.held.delete(id);
    if (!this.#alive.delete(id)) this.#note(`${id} ended twice`, undefined);
  }

  #note<T>(problem: string, answer: T): T {
    this.#wrong.push(problem);
    return answer;
  }
}
