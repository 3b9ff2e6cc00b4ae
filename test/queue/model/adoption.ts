import type { Agreement } from './agreement.js';
import { type ModelConsumer, wasTakenBefore } from './model-consumer.js';
import type { ModelMessage } from './model-message.js';
import type { Observation, Start } from './observation.js';
import type { QueueModel } from './queue-model.js';

/**
 * The model takes on what Redis chose, with which it agrees.
 *
 * @throws {Error} a handler was called for what was not its own, twice, out of order, or with wrong facts
 */
export function adopt(model: QueueModel, agreement: Agreement, seen: Observation): void {
  countPriorities(model, agreement, seen);
  const ids = new Map([...seen.ready, ...seen.delayed, ...seen.parked].map(({ number, id }) => [number, id]));
  for (const message of model.messages.values()) {
    message.handle = ids.get(message.facts.number) ?? message.handle;
    if (message.place !== 'gone' && message.place !== 'dead') move(model, agreement, seen, message);
  }
  for (const start of seen.starts) begin(model, start);
  for (const message of model.messages.values())
    if (message.isAlive && !agreement.sights.has(message.facts.number))
      model.ended(message, seen.handled.has(message.facts.number) ? 'handled' : 'expired');
  for (const consumer of model.consumers)
    consumer.held = consumer.held.filter(({ message }) => message.by === consumer && message.place === 'held');
  if (seen.counts.consumers === model.live.length) model.forgetTheDead();
  model.stand(seen.ready.flatMap(({ number }) => model.messages.get(number) ?? []));
}

/** Into the place where it was seen. What was seen nowhere ends after its handler's call was looked at. */
function move(model: QueueModel, agreement: Agreement, seen: Observation, message: ModelMessage): void {
  const { number } = message.facts;
  const sight = agreement.sights.get(number);
  const start = seen.starts.find((one) => one.number === number);
  const by = sight?.place === 'held' ? sight.by : start?.consumer;
  const isNew = message.place !== 'held' || message.by?.number !== by || sight?.place !== 'held';
  if (message.place === 'held' && message.by?.isLive === false && isNew) {
    message.by.release(message);
    message.deliveryCount++;
    message.losses++;
  }
  if (sight?.place === 'dead') {
    model.died(message, 'expired');
    return;
  }
  const taker = model.consumers.find((consumer) => consumer.number === by);
  if (taker !== undefined && !taker.held.some((held) => held.message === message))
    taker.held.push({ message, step: model.step, standing: message.standing, isStarted: false });
  if (sight === undefined) {
    message.by = taker;
    message.place = taker === undefined ? message.place : 'held';
    return;
  }
  if (sight.place !== 'ready') message.mayBeOfferedToTheDead = false;
  if (message.place !== sight.place && sight.place === 'ready') message.readySince = model.step;
  if (sight.place === 'delayed') message.due.by = Math.min(message.due.by, seen.now + message.delayMs);
  message.place = sight.place;
  message.by = sight.place === 'held' ? taker : undefined;
}

function begin(model: QueueModel, start: Start): void {
  const message = model.messages.get(start.number);
  const consumer = model.consumers.find(({ number }) => number === start.consumer);
  // Its consumer has left since, or the queue is another one: then the step itself has looked at it.
  if (message === undefined || consumer === undefined) return;
  const held = consumer.held.find((one) => one.message === message);
  if (held === undefined && message.mayHaveBegun) return;
  if (held === undefined) throw new Error(`${consumer.name} was given ${message}`);
  if (held.isStarted) throw new Error(`${consumer.name} was given ${message.name} twice`);
  const expected = {
    messageId: message.facts.messageId ?? message.facts.handle,
    attempt: message.attempt,
    deliveryCount: message.deliveryCount,
  };
  for (const [name, value] of Object.entries(expected)) {
    const given = start[name as keyof typeof expected];
    if (given !== value) throw new Error(`${message.name} has ${name} ${given} instead of ${value}`);
  }
  if (model.isOrdered) checkTurn(model, consumer, message);
  held.isStarted = true;
}

/** With concurrency 1 messages are handled in the order in which they were taken. */
function checkTurn(model: QueueModel, consumer: ModelConsumer, message: ModelMessage): void {
  const held = consumer.held.find((one) => one.message === message);
  for (const other of consumer.held) {
    if (held === undefined || other.isStarted || other.message.facts.hasNoHandler || other.message.place !== 'held')
      continue;
    if (wasTakenBefore(other, held))
      throw new Error(`step ${model.step}: ${consumer.name} handles ${message.name} before ${other.message.name}`);
  }
}

/** Every tenth place goes to the lowest priority, so that none starves; the others to the highest. */
function countPriorities(model: QueueModel, agreement: Agreement, seen: Observation): void {
  if (model.settings.priorities === 1 || model.settings.shards > 1) return;
  const left = seen.ready
    .flatMap(({ number }) => model.messages.get(number) ?? [])
    .filter(({ readySince, place }) => place === 'ready' && readySince < model.step);
  for (const { facts } of agreement.taken()) {
    model.takes.all++;
    if (left.some((other) => other.facts.priority > facts.priority)) model.takes.outOfPriority++;
  }
  if (model.takes.outOfPriority > 2 + model.takes.all / 5)
    throw new Error(
      `${model.takes.outOfPriority} of ${model.takes.all} were taken while one of higher priority waited`,
    );
}
