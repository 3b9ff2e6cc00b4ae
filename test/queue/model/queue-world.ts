import { DeadLetter, RetryLater, UnavailableError } from '@millrace/core';
import {
  type MessageContext,
  type QueueConsumer,
  type QueueDeclaration,
  type QueuedMessage,
  Requeue,
} from '@millrace/queue';
import { asInteger, asList } from '@millrace/redis';
import { waitFor } from '@millrace/testing';
import { slotsOf } from '../../../libs/queue/src/model/shards.js';
import { moveDue } from '../../../libs/queue/src/store/due.js';
import { queueKeys, waitingKeys } from '../../../libs/queue/src/store/keys.js';
import { type OpenBroker, openBroker } from '../broker.js';
import { adopt } from './adoption.js';
import { Agreement } from './agreement.js';
import type { Ground } from './ground.js';
import type { ModelMessage } from './model-message.js';
import type { Listed, Observation, Start } from './observation.js';
import { type HandlerOutcome, type QueueModel, retryLaterMs, retryPolicy } from './queue-model.js';

/** A consumer in what would be a process of its own. */
interface RealConsumer {
  readonly process: OpenBroker;
  readonly consumer: QueueConsumer;
  readonly prefetch: number;
  isQuick: boolean;
  /** What its handler has, until the test ends it. */
  running: { readonly number: number; end(outcome: HandlerOutcome): void } | undefined;
}

// KEYS 1 state 2 messages, then the lists in which messages wait
// RETURNS how many entries without a message the queue counts there, and how many there are
const staleScript = `
local present = 0
for list = 3, #KEYS do
  for _, entry in ipairs(redis.call('LRANGE', KEYS[list], 0, -1)) do
    present = present + 1 - redis.call('HEXISTS', KEYS[2], entry)
  end
end
return {tonumber(redis.call('HGET', KEYS[1], 'stale') or 0), present}`;

/** Long enough for a death to be noticed on a busy machine. */
const timeoutMs = 12_000;

/** The real queue `q`: published to through exchange `e`, its dead letters in another queue; and consumers whose handlers wait until the test ends them. */
export class QueueWorld {
  readonly consumers = new Map<number, RealConsumer>();
  readonly #ground: Ground;
  readonly #prefix: string;
  readonly #operator: OpenBroker;
  readonly #declaration: QueueDeclaration;
  readonly #clock: ReturnType<Ground['server']['client']>;
  #starts: Start[] = [];
  #handled = new Set<number>();
  /** Id of a registration → number of its consumer. */
  readonly #registrations = new Map<string, number>();

  private constructor(ground: Ground, prefix: string, operator: OpenBroker, declaration: QueueDeclaration) {
    this.#ground = ground;
    this.#prefix = prefix;
    this.#operator = operator;
    this.#declaration = declaration;
    this.#clock = ground.server.client();
  }

  static async open(ground: Ground, prefix: string, declaration: QueueDeclaration): Promise<QueueWorld> {
    const operator = await openBroker(ground.server, prefix);
    const world = new QueueWorld(ground, prefix, operator, declaration);
    await world.declare();
    return world;
  }

  get broker(): OpenBroker['broker'] {
    return this.#operator.broker;
  }

  get queue() {
    return this.broker.queue('q');
  }

  get deadLetters() {
    const { deadLetter } = this.#declaration;
    return this.broker.queue(deadLetter === undefined ? 'q.dead-letters' : 'dead').deadLetters;
  }

  async declare(): Promise<void> {
    await this.broker.declare({
      exchanges: [{ name: 'e', type: 'topic' }],
      queues: [{ name: 'dead' }, this.#declaration],
      bindings: [{ exchange: 'e', queue: 'q', routingKey: '#' }],
    });
  }

  /** Redis' clock, in ms. */
  async now(): Promise<number> {
    const [seconds, micros] = await this.#clock.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async reach(time: number): Promise<void> {
    await waitFor(async () => (await this.now()) >= time, { what: `Redis' clock to be ${time}`, intervalMs: 2 });
  }

  async join(number: number, prefetch: number, pattern = 'work'): Promise<RealConsumer> {
    const process = await openBroker(this.#ground.server, this.#prefix);
    const consumer = process.broker.consumer({
      queue: 'q',
      prefetch,
      concurrency: 1,
      leaseMs: 30_000,
      retry: retryPolicy,
      handlers: [{ pattern, handler: (payload, context) => this.#handle(number, Number(payload), context) }],
    });
    const real: RealConsumer = { process, consumer, prefetch, isQuick: false, running: undefined };
    this.consumers.set(number, real);
    await retryWhileAway(() => consumer.start());
    return real;
  }

  /** From now on its handler ends as soon as it is called, or waits again until the test ends it. */
  setQuick(number: number, isQuick: boolean): void {
    const real = this.consumers.get(number);
    if (real === undefined) return;
    real.isQuick = isQuick;
    const { running } = real;
    if (isQuick && running !== undefined) {
      this.#handled.add(running.number);
      running.end('ack');
    }
  }

  async stop(number: number, deadlineMs: number): Promise<void> {
    const real = this.consumers.get(number);
    if (real === undefined) return;
    await real.consumer.stop({ deadlineMs });
    this.consumers.delete(number);
    await real.process.close();
  }

  /** Its process dies: it does not deregister. */
  die(number: number): void {
    this.consumers.get(number)?.process.connection.close();
    this.consumers.delete(number);
  }

  /** The server of one of its slots fails over; resolves when everybody is connected again. */
  async failOver(which: number): Promise<void> {
    await this.#ground.failOver(this.#slotKey(which));
    const connections = [this.#operator, ...[...this.consumers.values()].map(({ process }) => process)];
    await Promise.all(connections.map(({ connection }) => connection.whenReady(timeoutMs)));
  }

  async moveSlot(which: number): Promise<void> {
    await this.#ground.moveSlot(this.#slotKey(which));
  }

  /** What the upkeep does in a queue without consumers, once in each slot; whether nothing is left to do. */
  async upkeep(): Promise<boolean> {
    const { commands } = this.#operator.connection;
    const { priorities = 1 } = this.#declaration;
    const done = await Promise.all(
      this.#slots.map((slot) => moveDue(commands, queueKeys(this.#prefix, slot), priorities)),
    );
    return done.every(({ mayHaveMore }) => !mayHaveMore);
  }

  /** Entries without a message in the lists of each slot. */
  async stale(): Promise<Observation['stale']> {
    return Promise.all(
      this.#slots.map(async (slot) => {
        const keys = queueKeys(this.#prefix, slot);
        const all = [keys.state, keys.messages, ...waitingKeys(keys, this.#declaration.priorities ?? 1)];
        const reply = asList(await this.#operator.connection.commands.eval(staleScript, all.length, ...all));
        const [counted = 0, present = 0] = reply.map(asInteger);
        return { slot, counted, present };
      }),
    );
  }

  get #slots(): readonly string[] {
    return slotsOf({ name: 'q', shards: this.#declaration.shards });
  }

  #slotKey(which: number): string {
    return queueKeys(this.#prefix, this.#slots[which % this.#slots.length] ?? '').settings;
  }

  /** Waits until the queue is as the model says, and has the model adopt what Redis chose. @throws {Error} it is not */
  async agree(model: QueueModel): Promise<void> {
    let problems: readonly string[] = [];
    let agreed: [Agreement, Observation] | undefined;
    const look = async (): Promise<boolean> => {
      // Right after a failover a reply may be that a slot is not served yet.
      const seen = await this.#look(model).catch((error: unknown) => {
        problems = [String(error)];
      });
      if (seen === undefined) return false;
      const agreement = new Agreement(model, seen);
      problems = agreement.problems();
      if (problems.length === 0) agreed = [agreement, seen];
      return agreed !== undefined;
    };
    try {
      await waitFor(look, { what: 'the queue to be as its model', timeoutMs, intervalMs: 2 });
    } catch (error) {
      throw problems.length > 0 ? new Error(problems.slice(0, 12).join('\n')) : error;
    }
    if (agreed === undefined) return;
    adopt(model, ...agreed);
    this.#starts.splice(0, agreed[1].starts.length);
    for (const number of agreed[1].handled) this.#handled.delete(number);
  }

  /** Waits until all consumers that died are gone from the queue, also those that held nothing. */
  async noticeDeaths(model: QueueModel): Promise<void> {
    model.consumers = model.live;
    const areGone = async (): Promise<boolean> => (await this.queue.counts()).consumers === model.live.length;
    await waitFor(areGone, { what: 'the dead to be noticed', timeoutMs, intervalMs: 5 });
  }

  /** Keys that the queue has now and that will not expire. */
  async keys(): Promise<string[]> {
    const base = `${this.#prefix}:{queue:q`;
    const keys = await this.#clock.keys(`${base}*`);
    const livesMs = await Promise.all(keys.map((key) => this.#clock.pttl(key)));
    const lasting = keys.filter((_, index) => livesMs[index] === -1);
    return lasting
      .filter((key) => /^[}:]\d*/.test(key.slice(base.length)))
      .map((key) => key.slice(key.indexOf('}') + 2));
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers.keys()].map((number) => this.stop(number, 0)));
    await this.#operator.close();
  }

  #handle(number: number, message: number, context: MessageContext): Promise<void> | undefined {
    const { messageId, attempt, deliveryCount, signal } = context;
    this.#starts.push({ number: message, consumer: number, messageId, attempt, deliveryCount });
    const real = this.consumers.get(number);
    if (real === undefined) return undefined;
    if (real.isQuick) {
      this.#handled.add(message);
      return undefined;
    }
    return new Promise<void>((resolve, reject) => {
      const running = {
        number: message,
        end: (outcome: HandlerOutcome) => {
          if (real.running === running) real.running = undefined;
          const error = errorOf(outcome);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      real.running = running;
      signal.addEventListener('abort', () => {
        if (real.running === running) real.running = undefined;
        reject(signal.reason);
      });
    });
  }

  async #look(model: QueueModel): Promise<Observation> {
    const starts = [...this.#starts];
    const handled = new Set(this.#handled);
    const [ready, delayed, parked, dead] = await Promise.all([
      this.#all((cursor) => this.queue.ready({ cursor, limit: 1000 })),
      this.#all((cursor) => this.queue.delayed({ cursor, limit: 1000 })),
      this.#all((cursor) => this.queue.parked({ cursor, limit: 1000 })),
      this.#all((cursor) => this.deadLetters.list({ cursor, limit: 1000 })),
    ]);
    const listed = new Set([...ready, ...delayed, ...parked, ...dead].map((message) => message.payload()));
    const others = [...model.messages.values()].filter((one) => one.place !== 'gone' && !listed.has(one.facts.number));
    const held = new Map<number, number | undefined>();
    for (const [index, holder] of (await Promise.all(others.map((one) => this.#holder(one)))).entries()) {
      const number = others[index]?.facts.number;
      if (number !== undefined && holder !== 'none') held.set(number, holder);
    }
    const running = new Map(
      [...this.consumers].flatMap(([number, real]) => (real.running ? [[number, real.running.number]] : [])),
    );
    const [counts, stale] = await Promise.all([this.queue.counts(), this.stale()]);
    return {
      ready: ready.map(asListed),
      delayed: delayed.map(asListed),
      parked: parked.map(asListed),
      dead: dead.map((message) => ({ ...asListed(message), reason: message.deaths[0]?.reason ?? '' })),
      held,
      running,
      starts,
      handled,
      counts,
      stale,
      now: await this.now(),
    };
  }

  async #all(
    list: (cursor: string | undefined) => Promise<{ messages: readonly QueuedMessage[]; cursor: string | undefined }>,
  ): Promise<QueuedMessage[]> {
    const all: QueuedMessage[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(cursor);
      all.push(...page.messages);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return all;
  }

  async #holder({ handle, facts }: ModelMessage): Promise<number | undefined | 'none'> {
    const found = await this.queue.message(handle);
    if (found?.message?.payload() !== facts.number || found.state !== 'running' || found.consumer === undefined)
      return 'none';
    for (const [number, { consumer, running }] of this.consumers)
      if (consumer.status.consumer === found.consumer || running?.number === facts.number)
        this.#registrations.set(found.consumer, number);
    return this.#registrations.get(found.consumer);
  }
}

/** Repeats a call for as long as Redis is unavailable. */
export async function retryWhileAway<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}

function asListed(message: QueuedMessage): Listed {
  return { number: Number(message.payload()), id: message.id };
}

function errorOf(outcome: HandlerOutcome): Error | undefined {
  switch (outcome) {
    case 'ack':
      return undefined;
    case 'fail':
      return new Error('as the test wants');
    case 'retry later':
      return new RetryLater(retryLaterMs);
    case 'dead-letter':
      return new DeadLetter('as the test wants');
    case 'requeue to the back':
      return new Requeue('back');
    case 'requeue to the head':
      return new Requeue('head');
  }
}
