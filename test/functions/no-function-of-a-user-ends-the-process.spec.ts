import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MillraceEvents } from '@millrace/delivery';
import { startRedis, stopEverything } from '@millrace/testing';
import { eventTrials, listens } from './event-trials.js';
import { functionsOfUsers } from './functions-of-users.js';
import { logTrials } from './log-trials.js';
import { neverDone } from './misbehaviours.js';
import { nestTrials } from './nest-trials.js';
import { queueTrials } from './queue-trials.js';
import { Stage } from './stage.js';

/** Functions that are none of a user's, or that do nothing but hand on what they are given, and why. */
const untried: Record<string, string> = {
  ...why('of the implementation: users do not see it', [
    'core: Fifo.takeIf(isWanted)',
    'core: Question.accepts',
    'core: ask(report)',
    'core: backoffDelayMs(report)',
    'core: checkPayloads(check)',
    'core: checkPayloads(placeOf)',
    'core: custom(accepts)',
    'core: notify(report)',
    'core: settledAnswer(onRejected)',
    'core: optional(reader)',
    'core: required(reader)',
    'core: ruleFor(report)',
    'core: settle(report)',
    'core: startTimer(call)',
    'delivery: DeliveryContext.begin(decide)',
    'delivery: DeliveryTerms.onLate',
    'delivery: FirstUse.constructor(work)',
    'delivery: Lifecycle.start(work)',
    'delivery: Lifecycle.stop(work)',
    'delivery: PollLoop.constructor(onError)',
    'delivery: PollLoop.constructor(poll)',
    'delivery: Service.stop',
    'delivery: deliver(decode)',
    'delivery: runOutsideHandlers(onError)',
    'delivery: runOutsideHandlers(work)',
    'delivery: waitOutsideHandlers(onError)',
    'delivery: deliverTo(decide)',
    'delivery: deliverTo(decode)',
    'log: AppendChannel.append',
    'log: AppendChannel.close',
    'log: AppendChannel.whenUp',
    'log: ConsumerDependencies.onStopped',
    'log: allTopics(onDamaged)',
    'log: ProducerDependencies.firstUse',
    'log: ProducerDependencies.onBackgroundError',
    'log: ProducerDependencies.onClosed',
    'log: RecordIterator.return',
    'log: TopicContext.describeTopic',
    'log: TopicContext.lag',
    'log: TopicContext.producer',
    'log: TopicContext.read',
    'log: TopicContext.readBatches',
    'log: TopicContext.redrive',
    'nestjs: Attachment.declare',
    'nestjs: ConsumerHandleListener.starting',
    'nestjs: ConsumerHandleListener.stopped',
    'nestjs: Millrace.declare(place)',
    'nestjs: Millrace.require(place)',
    'nestjs: ConsumerPlan.make',
    'nestjs: Millrace.declareHandlersWith(declare)',
    'nestjs: ExchangePublisher.constructor(validations)[]',
    'queue: ConsumerContext.carryLines',
    'queue: ConsumerContext.consumerLeft',
    'queue: ConsumerContext.slotsOf',
    'queue: ConsumerContext.stopped',
    'queue: DeadLetterQueueContext.message',
    'queue: DeadLetterQueueContext.priorities',
    'queue: DeadLetterQueueContext.ready',
    'queue: MessageSource.holds',
    'queue: MessageSource.reportProgress',
    'queue: SenderContext.request',
    'queue: SenderContext.requestStream',
    'queue: SenderContext.send',
    'queue: SenderContext.sendBatch',
    'redis: onConnection(reached)',
    'redis: orNothing(read)',
    'redis: reach(call)',
    'redis: writtenSoon(ask)',
    'redis: writtenTogether(ask)',
    'testing: .whileMoving',
    'testing: Guarded.release',
    'testing: Guarded.spawn',
  ]),
  ...why('the same function as in the options of a consumer, which is tried', [
    'core: ask(call)',
    'core: backoffDelayMs(backoff)',
    'core: notify(call)',
    'delivery: DeliveryPlan.handle',
    'delivery: DeliveryPlan.validate',
    'delivery: withMiddleware(handler)',
    'delivery: withMiddleware(middleware)[]',
  ]),
  ...why("the caller's own call: it gets what its function throws", [
    'metrics: Tracing.batch(run)',
    'metrics: Tracing.send(send)',
    'testing: waitFor(predicate)',
  ]),
  ...why("Nest's own: it gives and awaits it", [
    'nestjs: Configured.useFactory',
    'nestjs: MillraceServer.addHandler(callback)',
  ]),
  ...why('a listener of the connection, which is tried under the name of the event', [
    'nestjs: MillraceClient.on(callback)',
    'nestjs: MillraceServer.on(callback)',
  ]),
};

/** These are waited for as long as they take: what never settles is not tried. */
const waitedFor = [
  'log: TopicHandleOptions.validate',
  'queue: QueuePayloads.validate',
  'queue: QueuePayloads.validateReply',
  'queue: TopicSink.assertTopic',
  'nestjs: MillraceAsyncOptions.useFactory',
  'nestjs: MillraceOptionsFactory.createMillraceOptions',
];

const trials = { ...logTrials, ...queueTrials, ...eventTrials, ...nestTrials };
const eventPrefix = 'delivery: MillraceEvents.';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(await startRedis());
});
afterAll(async () => {
  await stage.close();
  await stopEverything();
});

describe('a function of a user', () => {
  it('is tried, whichever it is', () => {
    // given: what the compiler finds
    const functions = functionsOfUsers();
    expect(functions.length).toBeGreaterThan(80);
    // then
    const isKnown = (name: string) => name in trials || name in untried || name.startsWith(eventPrefix);
    expect(functions.filter((name) => !isKnown(name))).toEqual([]);
    const named = [...Object.keys(untried), ...Object.keys(trials).filter((name) => name.includes(': '))];
    expect(named.filter((name) => !functions.includes(name))).toEqual([]);
  }, 120_000);

  // Jest itself checks that nothing is left unhandled: a rejection that is not awaited fails the test.
  it.each(Object.entries(trials))('may throw, reject, hang and return anything: %s', async (name, trial) => {
    neverDone();
    await trial(stage);
    // A trial in which the function was not called would prove nothing.
    expect(neverDone()).toEqual(waitedFor.includes(name) ? ['never settles'] : []);
  });

  it('may do so as a listener of any event', async () => {
    const events = functionsOfUsers().filter((name) => name.startsWith(eventPrefix));
    expect(events.length).toBeGreaterThan(15);
    for (const name of events) await listens(name.slice(eventPrefix.length) as keyof MillraceEvents);
  }, 120_000);
});

function why(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
