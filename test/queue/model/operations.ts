import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { ModelConsumer } from './model-consumer.js';
import type { ModelMessage } from './model-message.js';
import type { HandlerOutcome, QueueModel } from './queue-model.js';
import { type QueueWorld, retryWhileAway } from './queue-world.js';

const longMs = 3_600_000;
const shortMs = 40;

/** A message as an operation publishes it. Without an id the broker gives it one. */
interface Published {
  readonly id: string | undefined;
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly expirationMs: number | undefined;
  readonly shardKey: string;
  readonly hasNoHandler: boolean;
}

/** Something that is done to a queue and to its model, after which the two must agree. */
abstract class Operation implements fc.AsyncCommand<QueueModel, QueueWorld> {
  /** What it did, for the report of a failure. */
  did = '';
  /** Whether what comes in this step keeps its order. */
  isOrdered(_model: QueueModel): boolean {
    return true;
  }

  abstract check(model: QueueModel): boolean;

  abstract act(model: QueueModel, world: QueueWorld): Promise<void>;

  async run(model: QueueModel, world: QueueWorld): Promise<void> {
    model.begin(await world.now(), this.isOrdered(model));
    await this.act(model, world);
    await world.agree(model);
  }

  toString(): string {
    return `\n  ${this.did || this.constructor.name}`;
  }
}

class Publish extends Operation {
  readonly #messages: readonly Published[];
  readonly #isAwaited: boolean;

  constructor(messages: readonly Published[], isAwaited: boolean) {
    super();
    this.#messages = messages;
    this.#isAwaited = isAwaited;
  }

  check(): boolean {
    return true;
  }

  override isOrdered({ isConsumedByOne }: QueueModel): boolean {
    return !this.#isAwaited || isConsumedByOne;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const messages = this.#messages
      .filter(({ id }) => id === undefined || !model.retired.has(id))
      .map((message) => ({ ...message, number: model.nextNumber() }));
    this.did = `publish${this.#isAwaited ? ' one by one' : ''} ${messages.map(shown).join(', ')}`;
    const inputs = messages.map((message) => inputOf(message, model));
    if (!this.#isAwaited) {
      const from = await world.now();
      const receipts = await world.broker.publishBatch(inputs);
      const by = await world.now();
      for (const [index, message] of messages.entries()) accept(model, message, receipts[index], { from, by });
      return;
    }
    for (const [index, input] of inputs.entries()) {
      const from = await world.now();
      const { exchange, routingKey, body, properties } = input;
      const receipt = await world.broker.publish(exchange, routingKey, body, properties);
      const message = messages[index];
      if (message !== undefined) accept(model, message, receipt, { from, by: await world.now() });
    }
  }
}

function inputOf(message: Published & { readonly number: number }, { settings }: QueueModel) {
  const { id, priority, delayMs, expirationMs, shardKey, hasNoHandler, number } = message;
  const isKeyed = settings.shards > 1 && id === undefined;
  return {
    exchange: 'e',
    routingKey: hasNoHandler ? 'unhandled' : 'work',
    body: number,
    properties: { messageId: id, priority, delayMs, expirationMs, shardKey: isKeyed ? shardKey : undefined },
  };
}

function accept(
  model: QueueModel,
  message: Published & { readonly number: number },
  receipt: { readonly messageId: string; readonly duplicates: readonly string[] } | undefined,
  times: { readonly from: number; readonly by: number },
): void {
  if (receipt === undefined) throw new Error(`no receipt for m${message.number}`);
  const { id, number, hasNoHandler, priority, shardKey, delayMs, expirationMs } = message;
  const isDuplicate = receipt.duplicates.includes('q');
  const isRepetition = model.isRepetition(id) ?? isDuplicate;
  if (isDuplicate !== isRepetition)
    throw new Error(`m${number} with id "${id}" was ${isDuplicate ? '' : 'not '}taken for a repetition`);
  if (isDuplicate) return;
  if (id !== undefined) expect(receipt.messageId).toBe(id);
  const { shards, priorities } = model.settings;
  const lane = shards === 1 ? '' : (id ?? shardKey);
  const handle = receipt.messageId;
  const facts = { number, messageId: id, priority: Math.min(priority, priorities - 1), lane, hasNoHandler, handle };
  model.published(facts, { delayMs, expirationMs, ...times });
}

function shown({
  number,
  id,
  priority,
  delayMs,
  expirationMs,
  hasNoHandler,
  shardKey,
}: Published & { readonly number: number }): string {
  const facts = [
    id === undefined ? shardKey : `"${id}"`,
    priority > 0 && `priority ${priority}`,
    delayMs !== undefined && `delay ${delayMs}`,
    expirationMs !== undefined && `expiration ${expirationMs}`,
    hasNoHandler && 'without handler',
  ];
  return `m${number} (${facts.filter((fact) => fact !== false).join(' ')})`;
}

/** With nothing that a script has to look at: many of them go into a queue in one command. */
const plain: Published = {
  id: undefined,
  priority: 0,
  delayMs: undefined,
  expirationMs: undefined,
  shardKey: 'a',
  hasNoHandler: false,
};

/** Messages one after the other, each awaited, while handlers end as soon as they begin. */
class Flow extends Operation {
  readonly #count: number;

  constructor(count: number) {
    super();
    this.#count = count;
  }

  check({ isPaused, live }: QueueModel): boolean {
    return !isPaused && live.length > 0;
  }

  override isOrdered({ isConsumedByOne }: QueueModel): boolean {
    return this.#count === 0 || isConsumedByOne;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = `let ${model.live.map(({ name }) => name).join(' and ')} handle all, and ${this.#count} more, one by one`;
    setQuick(model, world, true);
    for (let count = 0; count < this.#count; count++) {
      const message = { ...plain, number: model.nextNumber() };
      const { exchange, routingKey, body, properties } = inputOf(message, model);
      const receipt = await world.broker.publish(exchange, routingKey, body, properties);
      accept(model, message, receipt, { from: model.stepBegan, by: model.stepBegan });
    }
    await world.agree(model);
    setQuick(model, world, false);
  }
}

function setQuick(model: QueueModel, world: QueueWorld, isQuick: boolean): void {
  for (const consumer of model.live) {
    consumer.isQuick = isQuick;
    world.setQuick(consumer.number, isQuick);
  }
}

class Settle extends Operation {
  readonly #who: number;
  readonly #outcome: HandlerOutcome;

  constructor(who: number, outcome: HandlerOutcome) {
    super();
    this.#who = who;
    this.#outcome = outcome;
  }

  check(model: QueueModel): boolean {
    return busy(model).length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const consumer = pick(busy(model), this.#who);
    const running = world.consumers.get(consumer.number)?.running;
    const message = consumer.running;
    if (message === undefined || running?.number !== message.facts.number)
      throw new Error(`${consumer.name} handles m${running?.number} instead of ${message?.name}`);
    this.did = `${consumer.name} handles ${message.name}: ${this.#outcome}`;
    model.settled(consumer, message, this.#outcome, await world.now());
    running.end(this.#outcome);
  }
}

function busy(model: QueueModel): ModelConsumer[] {
  return model.live.filter(({ running }) => running !== undefined);
}

class Join extends Operation {
  readonly #prefetch: number;

  constructor(prefetch: number) {
    super();
    this.#prefetch = prefetch;
  }

  check({ live }: QueueModel): boolean {
    return live.length < 2;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    // Which of several registrations holds a message that waits for its handler cannot be seen in a sharded queue.
    const prefetch = model.settings.shards > 1 ? 1 : this.#prefetch;
    const consumer = model.joined(prefetch);
    this.did = `${consumer.name} joins, prefetch ${prefetch}`;
    await world.join(consumer.number, prefetch);
  }
}

class Stop extends Operation {
  readonly #who: number;
  readonly #isHandled: boolean;

  constructor(who: number, isHandled: boolean) {
    super();
    this.#who = who;
    this.#isHandled = isHandled;
  }

  check({ live }: QueueModel): boolean {
    return live.length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const consumer = pick(model.live, this.#who);
    const { running, number, name } = consumer;
    const end = running === undefined ? '' : `, ${running.name} ${this.#isHandled ? 'is handled' : 'is given back'}`;
    this.did = `${name} stops${end}`;
    model.stopped(consumer, this.#isHandled ? 'is handled' : 'is given back');
    const handler = world.consumers.get(number)?.running;
    const stopping = world.stop(number, this.#isHandled ? 10_000 : 600);
    if (this.#isHandled) handler?.end('ack');
    await stopping;
  }
}

class Die extends Operation {
  readonly #who: number;

  constructor(who: number) {
    super();
    this.#who = who;
  }

  check(model: QueueModel): boolean {
    return mayDie(model).length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const consumer = pick(mayDie(model), this.#who);
    this.did = `${consumer.name} dies with ${consumer.held.map(({ message }) => message.name).join(', ') || 'nothing'}`;
    model.lost(consumer);
    world.die(consumer.number);
  }
}

/** A message that is lost a second time is handled alone from then on: that has specs of its own. */
function mayDie(model: QueueModel): ModelConsumer[] {
  if (model.consumers.some(({ isLive }) => !isLive)) return [];
  return model.live.filter(({ held }) => held.every(({ message }) => message.losses === 0));
}

class Cancel extends Operation {
  readonly #which: number;
  readonly #how: 'cancel' | 'remove';

  constructor(which: number, how: 'cancel' | 'remove') {
    super();
    this.#which = which;
    this.#how = how;
  }

  check(model: QueueModel): boolean {
    return this.#candidates(model).length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const message = pick(this.#candidates(model), this.#which);
    const { handle, expires } = message;
    this.did = `${this.#how} ${message}`;
    const { queue } = world;
    const answer = await retryWhileAway(async () =>
      this.#how === 'cancel' ? queue.cancel(handle) : queue.remove(handle),
    );
    const isGone = answer === 'not-found' || answer === false;
    const now = await world.now();
    if (isGone && expires.from <= now) return;
    // One that was due may have been taken.
    const isTaken =
      message.place === 'held' || (message.place === 'delayed' && message.due.from <= now && answer === 'cancelling');
    const expected = this.#how === 'remove' ? true : isTaken ? 'cancelling' : 'cancelled';
    expect(`${this.did}: ${answer}`).toBe(`${this.did}: ${expected}`);
    message.mayHaveBegun = answer === 'cancelling';
    model.ended(message, 'cancelled');
  }

  #candidates(model: QueueModel): ModelMessage[] {
    if (this.#how === 'remove') return model.in('ready', 'parked');
    // What a dead one holds is counted, cancelled or not, until the death is noticed.
    return model.in('ready', 'delayed', 'parked', 'held').filter(({ by }) => by?.isLive !== false);
  }
}

class Purge extends Operation {
  /** What is soon due may be among what is purged, or not. */
  check(model: QueueModel): boolean {
    const isSoonDue = model.in('delayed').some(({ due }) => due.from < model.stepBegan + longMs / 2);
    return model.in('ready').length > 0 && !isSoonDue;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const ready = model.in('ready').filter(({ expires }) => expires.from === Number.POSITIVE_INFINITY);
    this.did = `purge ${ready.length}`;
    const count = await world.queue.deadLetters.purge({
      filter: ({ properties }) => properties.expirationMs === undefined,
    });
    expect(`${this.did}: ${count}`).toBe(`${this.did}: ${ready.length}`);
    for (const message of ready) model.ended(message, 'purged');
  }
}

class Pause extends Operation {
  check(): boolean {
    return true;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = model.isPaused ? 'resume' : 'pause';
    model.isPaused = !model.isPaused;
    model.switchedIn = model.step;
    await retryWhileAway(() => (model.isPaused ? world.queue.pause() : world.queue.resume()));
    expect(await world.queue.isPaused()).toBe(model.isPaused);
  }
}

class Replace extends Operation {
  check(model: QueueModel): boolean {
    return model.in('ready', 'delayed', 'held').length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = 'delete the queue and declare it again';
    model.replaced();
    expect(await world.broker.deleteQueue('q')).toBe(true);
    await world.declare();
  }
}

class Unpark extends Operation {
  check(model: QueueModel): boolean {
    return model.in('parked').length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = 'unpark';
    const { length } = model.in('parked');
    model.unparked();
    expect(await world.queue.unpark()).toBe(length);
  }
}

class Redrive extends Operation {
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  check(model: QueueModel): boolean {
    return redrivable(model).length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const wanted = new Set(redrivable(model).map(({ facts }) => facts.number));
    const { messages } = await world.deadLetters.list({ limit: 1000 });
    const letters = messages.filter((letter) => wanted.has(Number(letter.payload()))).slice(0, this.#limit);
    const ids = letters.map(({ id }) => id);
    this.did = `redrive ${letters.map((letter) => `m${letter.payload()}`).join(', ')}`;
    for (const letter of letters) {
      const message = model.messages.get(Number(letter.payload()));
      if (message !== undefined) model.redriven(message, letter.messageId);
    }
    expect(await world.deadLetters.redrive({ ids, maxRedrives: 100 })).toMatchObject({
      redriven: ids.length,
      looping: 0,
      stuck: 0,
    });
  }
}

/** Which of two lives a message id means is not said: only what has no other one comes back. */
function redrivable(model: QueueModel): ModelMessage[] {
  const hasOther = (one: ModelMessage): boolean => {
    const { messageId } = one.facts;
    if (messageId === undefined) return false;
    const others = [...model.messages.values()].filter((other) => other !== one && other.facts.messageId === messageId);
    return others.some(({ isAlive, place }) => isAlive || place === 'dead') || model.retired.has(messageId);
  };
  return model.in('dead').filter((message) => message.isRedriven || !hasOther(message));
}

class PurgeDeadLetters extends Operation {
  check(model: QueueModel): boolean {
    return model.in('dead').length > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const dead = model.in('dead');
    this.did = `purge ${dead.length} dead letters`;
    const count = await world.deadLetters.purge();
    expect(`${this.did}: ${count}`).toBe(`${this.did}: ${dead.length}`);
    for (const message of dead) model.ended(message, 'purged');
  }
}

/** Until all that is soon due, or expires soon, is. */
class LetTimePass extends Operation {
  check(model: QueueModel): boolean {
    return this.#until(model) > 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = 'let time pass';
    const until = this.#until(model);
    await world.reach(until + 1);
  }

  #until(model: QueueModel): number {
    const times = model
      .in('ready', 'delayed')
      .flatMap(({ due, expires, place }) => [place === 'delayed' ? due.by : 0, expires.by]);
    const soon = times.filter((time) => time > model.stepBegan && time < model.stepBegan + longMs / 2);
    return Math.max(0, ...soon);
  }
}

/** Leaves more stale entries in a queue than are left there, with messages among them. */
class Clutter extends Operation {
  readonly #priority: number;

  constructor(priority: number) {
    super();
    this.#priority = priority;
  }

  check({ isPaused, live }: QueueModel): boolean {
    return isPaused || live.length === 0;
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    const message = { ...plain, priority: this.#priority, number: model.nextNumber() };
    this.did = `publish ${shown(message)} among ${2 * passingBy} that are cancelled`;
    const passing = { ...inputOf(message, model), body: 'cancelled' };
    const fillers = Array<typeof passing>(passingBy).fill(passing);
    const from = await world.now();
    const receipts = await world.broker.publishBatch([...fillers, inputOf(message, model), ...fillers]);
    const [receipt] = receipts.splice(passingBy, 1);
    accept(model, message, receipt, { from, by: await world.now() });
    const cancelled = await Promise.all(receipts.map(({ messageId }) => world.queue.cancel(messageId)));
    expect(new Set(cancelled)).toEqual(new Set(['cancelled']));
    model.isCluttered = true;
  }
}

/** Half of the number of stale entries at which a trimming pass begins, which takes several slices. */
const passingBy = 550;

/** Carries trimming on as the upkeep does: by a slice, or to its end. */
class Trim extends Operation {
  readonly #isWhole: boolean;

  constructor(isWhole: boolean) {
    super();
    this.#isWhole = isWhole;
  }

  /** Upkeep that ends what has expired has its dead letters to carry on: the Broker's does, this one only trims. */
  check(model: QueueModel): boolean {
    const expiresSoon = model.in('ready', 'delayed').some(({ expires }) => expires.from < model.stepBegan + longMs / 2);
    return model.isCluttered && !(model.settings.hasDeadLetters && expiresSoon);
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = this.#isWhole ? 'trim' : 'trim a slice';
    if (!this.#isWhole) return void (await world.upkeep());
    // What came while a pass was under way is for the next one, which begins with the next look.
    for (let over = 0; over < 2; ) over = (await world.upkeep()) ? over + 1 : 0;
    model.isCluttered = false;
    for (const { slot, present } of await world.stale())
      if (present >= fewStale) throw new Error(`${present} stale entries are left in ${slot}`);
  }
}

/** Fewer are left where they are. */
const fewStale = 1000;

/** The server of the queue fails, and another has all that it had, or the same one when it is back. */
class FailOver extends Operation {
  readonly #which: number;

  constructor(which: number) {
    super();
    this.#which = which;
  }

  /** Only while no consumer runs: after a failover, a death is noticed by its lease alone. */
  check({ consumers }: QueueModel): boolean {
    return consumers.length === 0;
  }

  async act(_model: QueueModel, world: QueueWorld): Promise<void> {
    this.did = 'fail over';
    await world.failOver(this.#which);
  }
}

/** Does something while a slot of the queue is on its way to another master. */
class WhileItsSlotMoves extends Operation {
  readonly #which: number;
  readonly #operation: Operation;

  constructor(which: number, operation: Operation) {
    super();
    this.#which = which;
    this.#operation = operation;
  }

  override isOrdered(model: QueueModel): boolean {
    return this.#operation.isOrdered(model);
  }

  /** A death is noticed by its lease alone when its slot is elsewhere by then: the dead one names its connections to the former server. */
  check(model: QueueModel): boolean {
    return model.consumers.every(({ isLive }) => isLive) && this.#operation.check(model);
  }

  async act(model: QueueModel, world: QueueWorld): Promise<void> {
    await Promise.all([world.moveSlot(this.#which), this.#operation.act(model, world)]);
  }

  override toString(): string {
    return `\n  while a slot moves:${String(this.#operation).slice(2)}`;
  }
}

function pick<T>(all: readonly T[], which: number): T {
  const picked = all[which % all.length];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}

const outcomes = fc.constantFrom<HandlerOutcome[]>(
  'ack',
  'ack',
  'fail',
  'retry later',
  'dead-letter',
  'requeue to the back',
  'requeue to the head',
);

/** Any sequence of operations. Those whose turn costs a heartbeat of a second are rarer. */
export function operations(
  ids: readonly string[],
  { hasSlots }: { readonly hasSlots: boolean },
): fc.Arbitrary<Iterable<fc.AsyncCommand<QueueModel, QueueWorld>>> {
  const which = fc.nat(40);
  const published = fc.record<Published>({
    id: fc.oneof(fc.constant(undefined), fc.constant(undefined), fc.constantFrom(...ids)),
    priority: fc.nat(3),
    delayMs: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.constantFrom(shortMs, shortMs, longMs)),
    expirationMs: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.constantFrom(shortMs, longMs)),
    shardKey: fc.constantFrom('a', 'b', 'c', 'd'),
    hasNoHandler: fc.nat(9).map((draw) => draw === 9),
  });
  const publish = fc
    .tuple(fc.array(published, { minLength: 1, maxLength: 6 }), fc.boolean())
    .map((args) => new Publish(...args));
  const settle = fc.tuple(which, outcomes).map((args) => new Settle(...args));
  const join = fc.constantFrom(1, 50).map((prefetch) => new Join(prefetch));
  const cancel = fc
    .tuple(which, fc.constantFrom('cancel' as const, 'remove' as const))
    .map((args) => new Cancel(...args));
  const stop = fc.tuple(which, fc.boolean()).map((args) => new Stop(...args));
  const pause = fc.constant(null).map(() => new Pause());
  // Of calls those that may be made again when the reply is that the slot is moving; consumers try again by themselves.
  const moving = fc
    .tuple(which, fc.oneof<fc.Arbitrary<Operation>[]>(settle, join, pause, publish, cancel, stop))
    .map((args) => new WhileItsSlotMoves(...args));
  return fc.commands(
    [
      ...Array.from({ length: 4 }, () => publish),
      fc.integer({ min: 2, max: 12 }).map((count) => new Publish(Array(count).fill(plain), false)),
      ...Array.from({ length: 7 }, () => settle),
      join,
      join,
      cancel,
      cancel,
      fc.constantFrom(0, 60).map((count) => new Flow(count)),
      stop,
      which.map((who) => new Die(who)),
      fc.constant(null).map(() => new Purge()),
      pause,
      pause,
      fc.constant(null).map(() => new Replace()),
      fc.constant(null).map(() => new Unpark()),
      fc.constantFrom(1, 100).map((limit) => new Redrive(limit)),
      fc.constant(null).map(() => new PurgeDeadLetters()),
      fc.constant(null).map(() => new LetTimePass()),
      fc.nat(2).map((priority) => new Clutter(priority)),
      ...Array.from({ length: 3 }, () => fc.boolean().map((isWhole) => new Trim(isWhole))),
      which.map((each) => new FailOver(each)),
      ...(hasSlots ? [moving, moving] : []),
    ],
    { maxCommands: 40, size: 'max' },
  );
}

/** Lets all come to an end: every message that was confirmed must reach one. */
export async function comeToAnEnd(model: QueueModel, world: QueueWorld): Promise<void> {
  if (model.isPaused) await new Pause().run(model, world);
  if (model.live.length === 0) await new Join(50).run(model, world);
  while (model.in('ready', 'held', 'delayed', 'parked').length > 0) {
    await new Flow(0).run(model, world);
    const left = new Cancel(0, 'cancel');
    if (left.check(model)) await left.run(model, world);
  }
  await world.noticeDeaths(model);
  const letters = new PurgeDeadLetters();
  if (letters.check(model)) await letters.run(model, world);
  while (model.live.length > 0) await new Stop(0, true).run(model, world);
}
