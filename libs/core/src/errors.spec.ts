import { describe, expect, it } from '@jest/globals';
import * as errors from './errors.js';

describe('errors', () => {
  it.each([
    [new errors.OptionsError('x', ['a']), 'OPTIONS'],
    [new errors.InvalidMessageError('x'), 'INVALID_MESSAGE'],
    [new errors.CodecError('x'), 'CODEC'],
    [new errors.ValidationError('x', ['a']), 'VALIDATION'],
    [new errors.TopicNotFoundError('x'), 'TOPIC_NOT_FOUND'],
    [new errors.TopicConflictError('x', []), 'TOPIC_CONFLICT'],
    [new errors.TopologyNotFoundError('queue', 'x'), 'TOPOLOGY_NOT_FOUND'],
    [new errors.TopologyConflictError('queue', 'x', []), 'TOPOLOGY_CONFLICT'],
    [new errors.WriteError('x', { failure: 'full', mayBeWritten: false }), 'WRITE'],
    [new errors.UnroutableError('x'), 'UNROUTABLE'],
    [new errors.LeaseLostError('x'), 'LEASE_LOST'],
    [new errors.DeadlineExceededError('x', 1), 'DEADLINE_EXCEEDED'],
    [new errors.ClosedError('x'), 'CLOSED'],
    [new errors.UnavailableError('x'), 'UNAVAILABLE'],
    [new errors.UnsupportedServerError('x'), 'UNSUPPORTED_SERVER'],
    [new errors.DamagedStateError({ object: 'x', key: 'k', remedy: 'Mend it.' }, ['a']), 'DAMAGED_STATE'],
  ])('%s has a code made of its class name', (error, code) => {
    expect(error.code).toBe(code);
    expect(error).toBeInstanceOf(errors.MillraceError);
    expect(error.name).toBe(error.constructor.name);
  });

  it('keeps the cause of a write error and says whether the message may be there', () => {
    const cause = new Error('socket closed');
    const error = new errors.WriteError('no reply.', { failure: 'timeout', mayBeWritten: true, cause });
    expect(error.cause).toBe(cause);
    expect(error.message).toBe('no reply. It may have been written.');
  });

  it('lists every problem of options', () => {
    expect(new errors.OptionsError('topic "orders"', ['a is wrong', 'b is wrong']).message).toBe(
      'topic "orders": 2 problems\n  - a is wrong\n  - b is wrong',
    );
  });

  it.each<[error: errors.MillraceError, message: string]>([
    [new errors.OptionsError('topic "a"', ['b is wrong']), 'topic "a": one problem\n  - b is wrong'],
    [
      new errors.ValidationError('payload', ['a is missing', 'b is no date']),
      'payload is invalid: a is missing; b is no date',
    ],
    [
      new errors.TopicNotFoundError('orders'),
      'topic "orders" does not exist. Declare it first: declareTopic({ name: "orders", partitions: … }).',
    ],
    [
      new errors.TopicConflictError('orders', [
        { setting: 'partitions', declared: 2, requested: 3 },
        { setting: 'codec', declared: 'json', requested: 'raw' },
      ]),
      'topic "orders" is already declared with other settings (partitions: 2 → 3, codec: "json" → "raw"). Declare it with the same settings, or alter the topic.',
    ],
    [
      new errors.TopologyNotFoundError('queue', 'mail'),
      'queue "mail" does not exist. Declare it first: declareQueue({ name: "mail" }).',
    ],
    [
      new errors.TopologyNotFoundError('exchange', 'mail'),
      'exchange "mail" does not exist. Declare it first: declareExchange({ name: "mail", type: … }).',
    ],
    [
      new errors.TopologyConflictError('queue', 'mail', [{ setting: 'priorities', declared: 1, requested: 5 }]),
      'queue "mail" is already declared with other settings (priorities: 1 → 5). Declare it with the same settings, or delete it first.',
    ],
    [new errors.WriteError('full.', { failure: 'full', mayBeWritten: false }), 'full. It was not written.'],
    [
      new errors.DeadlineExceededError('orders', 50),
      'orders: the handler did not end within 50 ms. Raise handlerTimeoutMs or call ctx.extend().',
    ],
    [new errors.ClosedError('producer'), 'producer is closed and takes no more work.'],
  ])('say what is wrong and what to do: %#', (error, message) => {
    expect(error.message).toBe(message);
  });

  it('say to a web framework what to answer, and that their message is not for the response', () => {
    const failures = [
      'unavailable',
      'timeout',
      'full',
      'read-only',
      'not-enough-replicas',
      'denied',
      'rejected',
    ] as const;
    const statuses = failures.map((failure) => new errors.WriteError('x', { failure, mayBeWritten: false }).statusCode);
    expect(statuses).toEqual([503, 503, 503, 503, 503, 500, 500]);
    const { statusCode, status, expose } = new errors.UnavailableError('x');
    expect([statusCode, status, expose]).toEqual([503, 503, false]);
    expect(new errors.WriteError('x', { failure: 'denied', mayBeWritten: false }).status).toBe(500);
  });

  it('have a code without the last "Error" of their name', () => {
    class ErrorsInErrorPages extends errors.MillraceError {}
    expect(new ErrorsInErrorPages('x').code).toBe('ERRORS_IN_ERROR_PAGES');
  });
});
