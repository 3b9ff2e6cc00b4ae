import { expect } from '@jest/globals';
import { Events, HandledRun, type MillraceEvents } from '@millrace/delivery';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { waitFor } from '@millrace/testing';
import { misbehaviours } from './misbehaviours.js';
import { type Stage, unsettled } from './stage.js';

/** Every listener that misbehaves, and one that counts, which gets the event all the same. */
function listenersOf(name: keyof MillraceEvents) {
  const events = new Events();
  const reported: string[] = [];
  let heard = 0;
  events.on('background-error', ({ duty, heldBack = 0 }) => {
    for (let report = 0; report <= heldBack; report++) reported.push(duty);
  });
  for (const { act } of misbehaviours) events.on(name, act as () => void);
  events.on(name, () => void heard++);
  return { events, reported, heard: () => heard };
}

export async function listens(name: keyof MillraceEvents): Promise<void> {
  const { events, reported, heard } = listenersOf(name);
  // An emitter gives each listener what it was given.
  (events.emit as (name: string, event: object) => boolean)(name, {});
  expect(heard()).toBeGreaterThan(0);
  const failing = misbehaviours.filter(({ what }) => /^(throws|rejects)/.test(what)).length;
  if (name === 'background-error') return;
  await waitFor(() => reported.length >= failing, { what: 'all to be reported' });
  expect(new Set(reported)).toEqual(new Set([`listener of "${name}"`]));
}

export const eventTrials: Record<string, (stage: Stage) => Promise<void>> = {
  'delivery: MillraceEvents.published': async (stage) => {
    await listens('published');
    const broker = new Broker(stage.connection, { events: listenersOf('published').events });
    const queue = stage.name();
    await broker.declareQueue({ name: queue });
    expect(await unsettled(() => broker.sendToQueue(queue, 'a message'))).toEqual([]);
    expect(await unsettled(() => broker.publish('nowhere', '', 'a message'))).toEqual([]);
    await broker.close();
  },
  'delivery: Events.onHandled(listener)': async () => {
    const { events, heard } = listenersOf('handled');
    for (const { act } of misbehaviours) events.onHandled(act as () => void, () => undefined);
    const handled = { handler: 'h', source: 'queue:q', outcome: 'completed', attempt: 1, durationMs: 1 } as const;
    events.emit('handled', handled);
    expect(heard()).toBe(1);
  },
  'delivery: Events.onHandled(takeRun)': async () => {
    const { events, heard } = listenersOf('handled');
    for (const { act } of misbehaviours) events.onHandled(() => undefined, act as () => void);
    const run = new HandledRun({ handler: 'h', source: 'queue:q' });
    run.add(1, 1);
    events.emitRun(run);
    expect([heard(), run.count]).toEqual([1, 0]);
  },
  'nestjs: TransportEvents.up': (stage) => connects(stage, 'up'),
  'nestjs: TransportEvents.down': (stage) => connects(stage, 'down'),
  'nestjs: TransportEvents.closed': (stage) => connects(stage, 'closed'),
  'nestjs: TransportEvents.warning': (stage) => connects(stage, 'warning'),
};

/** A connection whose listeners misbehave connects and closes; what they did is a warning. */
async function connects(stage: Stage, name: 'up' | 'down' | 'closed' | 'warning'): Promise<void> {
  const connection = new RedisConnection({ url: stage.url });
  const warnings: string[] = [];
  for (const { act } of misbehaviours) connection.on(name, act as () => void);
  connection.on('warning', (text) => void warnings.push(text));
  await connection.open();
  expect(await connection.commands.ping()).toBe('PONG');
  connection.emit('warning', 'on purpose');
  connection.close();
  const own = (text: string): boolean => text.startsWith(`a listener of "${name}" failed`);
  expect(warnings).toContain('on purpose');
  if (name !== 'warning') await waitFor(() => warnings.some(own), { what: 'the warning' });
}
