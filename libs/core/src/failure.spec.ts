import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { causeOf, describeFailure, errorOf, isInstance, messageOf } from './failure.js';

function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function errorWith(property: string, value: unknown): Error {
  return Object.defineProperty(new Error('was replaced'), property, { value });
}

const circular: Record<string, unknown> = {};
circular.self = circular;

describe('a failure', () => {
  it.each<[what: string, thrown: unknown, message: string]>([
    ['an error', new TypeError('no such order'), 'no such order'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a string', 'no such order', 'no such order'],
    ['a big integer', 12n, '12'],
    ['a symbol', Symbol('x'), 'Symbol(x)'],
    ['an object', { code: 7 }, '{"code":7}'],
    ['an object without a prototype', Object.create(null), 'an object'],
    ['a circular object', circular, 'an object with self'],
    [
      'an object that says more',
      { status: 401, message: 'no', config: { auth: 'x' } },
      '{"message":"no","status":401}',
    ],
    ['an object whose message is none', { message: '' }, '{"message":""}'],
    ['an object of which nothing is known', { config: { auth: 'x' }, request: 1 }, 'an object with config, request'],
    ['an object whose code is an object', { code: { auth: 'x' } }, 'an object with code'],
    ['a function without a name', Object.assign(() => 1, { toString: () => 'f' }), 'f'],
    ['a revoked proxy', revoked(), 'an object'],
    ['a revoked error', revoked(new Error('x')), 'an object'],
    ['an error without a message', errorWith('message', null), ''],
    ['an error whose message is an object', errorWith('message', { code: 7 }), '{"code":7}'],
    ['an error whose message is circular', errorWith('message', circular), 'an object with self'],
    ['an error whose message is empty', errorWith('message', ''), ''],
    ['an error whose message is a revoked proxy', errorWith('message', revoked()), 'an object'],
    ['an error whose name is a symbol', errorWith('name', Symbol('x')), 'was replaced'],
    ['an error without a stack', errorWith('stack', undefined), 'was replaced'],
    [
      'an error that throws when it is read',
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('not readable');
        },
      }),
      '',
    ],
    [
      'something that throws when it is shown',
      Object.assign(() => 1, {
        toString: () => {
          throw new Error('y');
        },
      }),
      'a value that cannot be shown (function)',
    ],
  ])('describes %s', (_, thrown, message) => {
    const failure = describeFailure(thrown);

    expect(failure.message).toBe(message);
    expect([typeof failure.name, typeof failure.stack]).toEqual(['string', 'string']);
    expect(messageOf(thrown)).toBe(message);
    expect(causeOf(thrown)).toBeUndefined();
  });

  it('is bounded', () => {
    const failure = describeFailure(Object.assign(new Error('x'.repeat(5000)), { stack: 'y'.repeat(9000) }));
    expect([failure.message.length, failure.stack.length]).toEqual([1000, 4000]);
    expect(describeFailure(errorWith('name', 'N'.repeat(300))).name).toBe('N'.repeat(200));
    expect(messageOf({ message: 'x'.repeat(5000) })).toHaveLength(1000);
    expect(messageOf({ ['k'.repeat(300)]: 1 })).toBe(`an object with ${'k'.repeat(200)}`);
  });

  it('is of no class that cannot be asked', () => {
    class Moody extends Error {
      static override [Symbol.hasInstance](): boolean {
        throw new Error('ask again later');
      }
    }
    expect([isInstance(new Error('x'), Moody), isInstance(revoked(), Error)]).toEqual([false, false]);
  });

  it('has the name and the stack of an error, and neither of what is none', () => {
    const error = Object.assign(new TypeError('no'), { stack: 'at 1' });
    expect(describeFailure(error)).toEqual({ name: 'TypeError', message: 'no', stack: 'at 1' });
    expect(describeFailure(errorWith('name', ''))).toMatchObject({ name: 'Error' });
    expect(describeFailure({ name: 'x', stack: 'y' })).toMatchObject({ name: 'NonError', stack: '' });
    expect(describeFailure(errorWith('stack', undefined)).stack).toBe('');
  });

  it('is an error where another realm made it, as in Jest every error of a module of Node is', () => {
    const [error, other]: unknown[] = runInNewContext("[new TypeError('no'), { name: 'x' }]");
    expect(error instanceof Error).toBe(false);
    expect(describeFailure(error)).toMatchObject({ name: 'TypeError', message: 'no' });
    expect([isInstance(error, Error), isInstance(error, TypeError), isInstance(other, Error)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('has a cause only where it is an error whose cause can be read', () => {
    const cause = new Error('inner');
    expect(causeOf(new Error('outer', { cause }))).toBe(cause);
    expect(causeOf({ cause })).toBeUndefined();
    const unreadable = Object.defineProperty(new Error('x'), 'cause', {
      get() {
        throw new Error('not readable');
      },
    });
    expect(causeOf(unreadable)).toBeUndefined();
  });

  it('can be made an error of, which says it and has it as its cause', () => {
    const error = new Error('x');
    expect(errorOf(error)).toBe(error);
    const made = errorOf({ code: 7 });
    expect(made).toBeInstanceOf(Error);
    expect([made.message, made.cause]).toEqual(['{"code":7}', { code: 7 }]);
  });
});
