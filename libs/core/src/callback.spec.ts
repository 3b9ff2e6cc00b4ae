import { describe, expect, it } from '@jest/globals';
import { accepted, ask, isBoolean, isList, isThenable, notify, settledAnswer, wrongAnswer } from './callback.js';

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}
/** An object with such a property, which is to be waited for if that is a function. */
const withThen = (then: unknown): object => Object.fromEntries([['then', then]]);
const oops = new Error('oops');
const throws = (): never => {
  throw oops;
};
const question = { name: 'isWanted', expects: 'true or false', accepts: isBoolean, otherwise: false };

describe('a function of a user that must answer now', () => {
  it.each<[what: string, call: () => unknown, answer: boolean, reported: unknown]>([
    ['what it must', () => true, true, undefined],
    ['something else', () => 1, false, new TypeError('isWanted must return true or false, got 1.')],
    ['a promise', async () => true, false, new TypeError('isWanted must return true or false, got a promise.')],
    [
      'a promise that rejects',
      async () => throws(),
      false,
      new TypeError('isWanted must return true or false, got a promise.'),
    ],
    ['an error', throws, false, oops],
  ])('returns %s', (_, call, answer, reported) => {
    const reports: unknown[] = [];
    expect(ask(question, call, (...report) => reports.push(report))).toBe(answer);
    expect(reports).toEqual(reported === undefined ? [] : [['isWanted', reported]]);
  });

  it('may be asked without a report: a wrong answer is thrown', () => {
    expect(accepted(question, true)).toBe(true);
    expect(() => accepted(question, 'yes')).toThrow(new TypeError('isWanted must return true or false, got "yes".'));
  });

  it('that returns a promise does not end the process by its rejection', () => {
    // given something to be waited for that counts who waits for its rejection
    let waiting = 0;
    const late = withThen((_: unknown, onRejected: unknown) => typeof onRejected === 'function' && waiting++);
    // when
    wrongAnswer('f', 'a number', late);
    wrongAnswer('f', 'a number', 5);
    // then
    expect(waiting).toBe(1);
  });
});

describe('a listener', () => {
  it('is called, and what it throws or rejects with is reported', async () => {
    const reports: unknown[] = [];
    const report = (error: unknown) => reports.push(error);
    notify(() => 5, report);
    notify(async () => 5, report);
    notify(throws, report);
    await new Promise<void>((resolve) =>
      notify(
        async () => throws(),
        (error) => resolve(void report(error)),
      ),
    );
    expect(reports).toEqual([oops, oops]);
  });
});

describe('what a handler of several messages returned', () => {
  const settled = (answer: unknown) => settledAnswer(answer, (thrown) => ({ thrown }));

  it('is left as it is where there is nothing to wait for', () => {
    for (const answer of [undefined, 5, [1, 2], { a: 1 }]) expect(settled(answer)).toBe(answer);
    const { length } = [revoked()].map(settled);
    expect(length).toBe(1);
  });

  it('is waited for, and so is each promise in its list', async () => {
    expect(await settled(Promise.resolve([Promise.resolve(1), 2, Promise.reject(oops)]))).toEqual([
      1,
      2,
      { thrown: oops },
    ]);
    expect(await settled([Promise.resolve(1), undefined])).toEqual([1, undefined]);
    await expect(settled(Promise.reject(oops))).rejects.toBe(oops);
  });
});

describe('what can be asked of anything', () => {
  const hostile = Object.defineProperty({}, 'then', { get: throws });
  const callable = Object.assign(
    () => 0,
    withThen(() => 0),
  );

  it('is whether it can be waited for', () => {
    const values = [
      Promise.resolve(),
      withThen(() => 0),
      callable,
      withThen(1),
      {},
      () => 0,
      null,
      undefined,
      'then',
      hostile,
      revoked(),
    ];
    expect(values.map(isThenable)).toEqual([true, true, true, false, false, false, false, false, false, false, false]);
  });

  it('is whether it is a list', () => {
    expect([[], [1], { length: 0 }, 'ab', null, revoked()].map(isList)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is whether it is true or false', () => {
    expect([true, false, 0, 'true', null].map(isBoolean)).toEqual([true, true, false, false, false]);
  });
});
