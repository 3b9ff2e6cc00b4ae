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
});
