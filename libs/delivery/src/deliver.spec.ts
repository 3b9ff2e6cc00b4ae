import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  CodecError,
  DeadLetter,
  DeadlineExceededError,
  Drop,
  type Outcome,
  RetryLater,
  startTimer,
  ValidationError,
} from '@millrace/core';
import { deliver, deliverTo } from './deliver.js';
import { DeliveryContext } from './delivery-context.js';
import { type Handler, withMiddleware } from './middleware.js';

class TestContext extends DeliveryContext {
  readonly attempt = 1;
  describe(): string {
    return 'message m1 of queue "orders"';
  }
}

class SettlingContext extends TestContext {
  settle(): void {
    this.decideNow({ kind: 'completed', result: undefined });
  }
}

function run(
  handle: Handler<TestContext>,
  more: { decode?: () => unknown; validate?: (payload: unknown) => unknown } = {},
) {
  const plan = { handle, validate: more.validate, handlerTimeoutMs: 0 };
  return deliver(plan, new TestContext(), more.decode ?? (() => 'payload'));
}

function thrower(error: unknown): Handler<TestContext> {
  return () => {
    throw error;
  };
}

describe('deliver', () => {
  it('resolves to the result of the handler', async () => {
    expect(await run((payload) => `${payload}!`)).toEqual({ kind: 'completed', result: 'payload!' });
  });

  it.each([
    [new Error('oops'), { kind: 'failed', error: new Error('oops') }],
    [new RetryLater(5), { kind: 'retry-later', delayMs: 5 }],
    [new Drop('old'), { kind: 'dropped', reason: 'old' }],
    [new DeadLetter('bad'), { kind: 'given-up', error: new DeadLetter('bad') }],
    [undefined, { kind: 'failed', error: undefined }],
  ] as [unknown, Outcome][])('turns the thrown %p into an outcome', async (thrown, outcome) => {
    expect(await run(thrower(thrown))).toEqual(outcome);
  });

  it('never shows the handler what cannot be decoded or is invalid', async () => {
    const decode = () => JSON.parse('{');
    const undecodable = await run(thrower(new Error('was called')), { decode });
    expect(undecodable).toMatchObject({ kind: 'unreadable', reason: 'undecodable' });
    expect((undecodable as { error: CodecError }).error).toBeInstanceOf(CodecError);

    const validate = () => Promise.reject(new ValidationError('order', ['no items']));
    const invalid = await run(thrower(new Error('was called')), { validate });
    expect(invalid).toMatchObject({ kind: 'unreadable', reason: 'invalid' });
  });

  it('counts a validator that broke down as a failed attempt, not as an invalid message', async () => {
    const validate = () => Promise.reject(new Error('database away'));
    expect(await run(() => undefined, { validate })).toMatchObject({ kind: 'failed' });
  });

  it('runs middleware outside in, around the handler', async () => {
    const seen: string[] = [];
    const layer = (name: string) => async (_context: TestContext, next: () => Promise<unknown>) => {
      seen.push(`${name} in`);
      const result = await next();
      seen.push(`${name} out`);
      return result;
    };
    await run(withMiddleware(() => seen.push('handler'), [layer('a'), layer('b')]));
    expect(seen).toEqual(['a in', 'b in', 'handler', 'b out', 'a out']);
  });

  it('fails an overrunning handler when it ends after its signal was aborted, however it ends', async () => {
    const context = new TestContext();
    const handle = (_payload: unknown, { signal }: TestContext) =>
      new Promise((resolve) => signal.addEventListener('abort', resolve));
    const outcome = await deliver({ handle, handlerTimeoutMs: 1, abortGraceMs: 60_000 }, context, () => 1);
    expect(outcome).toMatchObject({ kind: 'failed', error: expect.any(DeadlineExceededError) });
    expect(context.isGivenUp).toBe(false);
  });

  it('gives an overrunning handler up after its grace, and reports what it does later', async () => {
    const context = new TestContext();
    let finish: (value: number) => void = () => undefined;
    const late: Outcome[] = [];
    const plan = {
      handle: () => new Promise((resolve) => (finish = resolve)),
      handlerTimeoutMs: 1,
      abortGraceMs: 1,
      onLate: (outcome: Outcome) => void late.push(outcome),
    };
    expect(await deliver(plan, context, () => 1)).toMatchObject({ kind: 'failed' });
    expect(context.isGivenUp).toBe(true);
    expect(context.signal.aborted).toBe(true);
    await context.handlerReleased();
    finish(7);
    await context.handlerEnded;
    expect(late).toEqual([{ kind: 'completed', result: 7 }]);
  });

  it('releases an abandoned handler that does not end after the same grace', async () => {
    const context = new TestContext();
    const plan = { handle: () => new Promise(() => undefined), handlerTimeoutMs: 0, abortGraceMs: 1 };
    const delivery = deliver(plan, context, () => 1);
    context.abandon(new Error('lease lost'));
    expect(await delivery).toEqual({ kind: 'abandoned' });
    expect(context.isGivenUp).toBe(false);
    const keepAlive = setInterval(() => undefined, 1000);
    await context.handlerReleased();
    clearInterval(keepAlive);
    expect(context.isGivenUp).toBe(true);
  });

  it.each([5n, '5', null, {}, Number.NaN])(
    'fails a handler that moves its deadline by no number: %p',
    async (given) => {
      const context = new TestContext();
      const handle = async () => context.extend(given as never);
      const outcome = await deliver({ handle, handlerTimeoutMs: 60_000 }, context, () => 1);
      expect(outcome).toMatchObject({
        kind: 'failed',
        error: { message: expect.stringMatching(/^extend\(\) takes a number of ms/) },
      });
    },
  );

  it('resolves to abandoned as soon as the delivery is taken back, whatever the handler does', async () => {
    const context = new TestContext();
    const delivery = deliver({ handle: () => new Promise(() => undefined), handlerTimeoutMs: 0 }, context, () => 1);
    context.abandon(new Error('lease lost'));
    expect(await delivery).toEqual({ kind: 'abandoned' });
    expect(context.signal.reason).toEqual(new Error('lease lost'));
  });
});

describe('a deadline', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['before it first waits', 0],
    ['later', 5],
  ])('is moved by its handler, %s', async (_when, atMs) => {
    // given a handler of 10 ms that never ends, and asks for a minute
    const context = new TestContext();
    const handle = (): Promise<unknown> => {
      if (atMs === 0) context.extend(60_000);
      else startTimer(() => context.extend(60_000), atMs);
      return new Promise(() => undefined);
    };
    deliverTo({ handle, handlerTimeoutMs: 10 }, context, String, () => undefined);
    // when, then it has that, and no more
    await jest.advanceTimersByTimeAsync(atMs + 59_999);
    expect(context.isAborted).toBe(false);
    await jest.advanceTimersByTimeAsync(2);
    expect(context.isAborted).toBe(true);
  });
});

describe('deliverTo', () => {
  it('decides synchronously when the handler returns no promise', () => {
    const outcomes: Outcome[] = [];
    deliverTo({ handle: () => 7, handlerTimeoutMs: 5 }, new TestContext(), String, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([{ kind: 'completed', result: 7 }]);
  });

  it('does not call the handler when the delivery was taken back before', () => {
    const context = new TestContext();
    context.abandon(new Error('lease lost'));
    const outcomes: Outcome[] = [];
    deliverTo({ handle: thrower('called'), handlerTimeoutMs: 0 }, context, String, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([{ kind: 'abandoned' }]);
  });

  it.each<[does: string, handle: (context: SettlingContext) => unknown, atStart: boolean, isDecided: boolean]>([
    ['returns', () => 7, true, true],
    ['throws', () => Promise.reject(new Error('oops')), false, false],
    ['returns a promise', async () => 7, false, false],
    ['settles its message and returns a promise', async (context) => context.settle(), true, true],
    ['settles its message later', async (context) => Promise.resolve().then(() => context.settle()), false, false],
  ])('knows whether a handler that %s ended while it was being started', async (_does, handle, atStart, isDecided) => {
    const context = new SettlingContext();
    const plan = { handle: (_payload: unknown, each: SettlingContext) => handle(each), handlerTimeoutMs: 0 };
    const decided: boolean[] = [];
    const isKnown = deliverTo(plan, context, String, (_outcome, _context, endedAtStart) => decided.push(endedAtStart));
    expect(isKnown).toBe(isDecided);
    await context.handlerEnded;
    await Promise.resolve();
    expect(decided).toEqual([atStart]);
  });
});
