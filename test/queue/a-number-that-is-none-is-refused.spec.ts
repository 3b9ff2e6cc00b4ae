import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidMessageError, OptionsError } from '@millrace/core';
import { startRedis, stopEverything } from '@millrace/testing';
import { type OpenBroker, openBroker, ownPrefix } from './broker.js';

const invalidDate = new Date('never');
type Refusal = new (...args: never[]) => Error;

describe('a number or date that is none', () => {
  let open: OpenBroker;
  beforeAll(async () => {
    open = await openBroker(await startRedis(), ownPrefix());
    await open.broker.declareQueue({ name: 'q' });
    await open.broker.declareQueue({ name: 'shards', shards: 2 });
    await open.broker.sendToQueue('q', 'a message');
  });
  afterAll(async () => {
    await open.close();
    await stopEverything();
  });

  const queue = () => open.broker.queue('q');
  const send = (properties: object) => () => open.broker.sendToQueue('q', 1, properties);
  const request = (options: object) => async () => open.broker.requestStream('', 'q', 1, options);
  const redrive = (options: object) => () => queue().deadLetters.redrive(options);

  const wrong: [what: string, call: () => Promise<unknown>, error: Refusal, message: RegExp][] = [
    ['a page of NaN', () => queue().ready({ limit: Number.NaN }), OptionsError, /limit must be .*got NaN/],
    ['a page of nothing', () => queue().delayed({ limit: 0 }), OptionsError, /limit must be .*at least 1, got 0/],
    ['a page of a half', () => queue().parked({ limit: 0.5 }), OptionsError, /limit must be .*got 0\.5/],
    ['a page of "10"', () => queue().deadLetters.list({ limit: '10' as never }), OptionsError, /limit .*got "10"/],
    ['a redrive of a half', redrive({ limit: 0.5 }), OptionsError, /limit must be .*got 0\.5/],
    ['a redrive without end', redrive({ maxRedrives: Number.NaN }), OptionsError, /maxRedrives .*got NaN/],
    ['a redrive of a typo', redrive({ maxRedrive: 1 }), OptionsError, /did you mean "maxRedrives"/],
    ['a redrive at no rate', redrive({ maxPerSecond: Number.NaN }), OptionsError, /maxPerSecond .*got NaN/],
    [
      'a redrive to two places',
      redrive({ to: { queue: 'a', exchange: 'b' } }),
      OptionsError,
      /to must be { queue } or/,
    ],
    ['a redrive to no place', redrive({ to: {} }), OptionsError, /to must be { queue } or { exchange/],
    ['a redrive to a number', redrive({ to: { queue: 5 } }), OptionsError, /queue name must be a string, got number/],
    [
      'a redrive of two problems',
      redrive({ ids: [5], allowQueues: [5] }),
      OptionsError,
      /2 problems.*ids must be a list of ids.*allowQueues\[0\]: queue name must be a string/s,
    ],
    ['a page after junk', () => queue().ready({ cursor: 'junk' }), OptionsError, /cursor must be .*got "junk"/],
    [
      'a page after a half',
      () => queue().ready({ cursor: '1 0.5 x' }),
      OptionsError,
      /cursor must be .*got "1 0\.5 x"/,
    ],
    ['a delayed page after junk', () => queue().delayed({ cursor: 'x y' }), OptionsError, /cursor must be .*got "x y"/],
    ['a parked page after another list', () => queue().parked({ cursor: '17' }), OptionsError, /cursor must be /],
    ['a completed page after junk', () => queue().completed({ cursor: '(1' }), OptionsError, /cursor must be /],
    [
      'dead letters after a number',
      () => queue().deadLetters.list({ cursor: 5 as never, limit: 0 }),
      OptionsError,
      /2 problems.*limit.*cursor/s,
    ],
    [
      'a page of shards after junk',
      () => open.broker.queue('shards').ready({ cursor: 'junk' }),
      OptionsError,
      /cursor must be .*got "junk"/,
    ],
    ['a time that is none', send({ timestamp: Number.NaN }), InvalidMessageError, /timestamp must be .*got NaN/],
    ['an invalid Date', send({ timestamp: invalidDate }), InvalidMessageError, /timestamp .*got an invalid Date/],
    ['an expiry of NaN', send({ expirationMs: Number.NaN }), InvalidMessageError, /expirationMs must be .*got NaN/],
    ['a request for NaN', request({ timeoutMs: Number.NaN }), OptionsError, /timeoutMs must be .*got NaN/],
    ['a request for no time', request({ timeoutMs: -1 }), OptionsError, /timeoutMs must be .*got -1/],
  ];

  it.each(wrong)('is refused with what was given, and nothing is done: %s', async (_what, call, error, message) => {
    const calling = call();
    await expect(calling).rejects.toThrow(error);
    await expect(calling).rejects.toThrow(message);
    expect(await queue().counts()).toMatchObject({ ready: 1, delayed: 0 });
  });
});
