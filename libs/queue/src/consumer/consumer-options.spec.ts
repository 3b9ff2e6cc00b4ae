import { describe, expect, it } from '@jest/globals';
import { type ConsumerInput, resolveConsumer } from './consumer-options.js';

const handler = (): undefined => undefined;
const middleware: ConsumerInput['middleware'] = [(_context, next) => next()];

describe('the options of a consumer', () => {
  it('want one way to handle messages', () => {
    expect(() => resolveConsumer({ queue: 'work' })).toThrow(/there is no handler/);
    expect(() => resolveConsumer({ queue: 'work', handler, batchHandler: handler })).toThrow(
      /more than one handler: handler, batchHandler/,
    );
    expect(resolveConsumer({ queue: 'work', handler, middleware }).middleware).toHaveLength(1);
  });

  it('refuse middleware with a batch handler, which would never call it', () => {
    expect(() => resolveConsumer({ queue: 'work', batchHandler: handler, middleware })).toThrow(
      /middleware is for a handler of single messages/,
    );
    expect(resolveConsumer({ queue: 'work', batchHandler: handler }).middleware).toEqual([]);
  });
});
