import { describe, expect, it } from '@jest/globals';
import { asDeadLetter, deadLetterTarget, isCycle, parseWhyDead } from './dead-letter.js';
import type { Death } from './death.js';
import type { StoredMessage } from './message-frame.js';
import { resolveQueue } from './queue-settings.js';

const message: StoredMessage = {
  priority: 0,
  codecId: 1,
  timestamp: 1,
  exchange: 'e',
  routingKey: 'k',
  headers: {},
  properties: { correlationId: 'c', expirationMs: 500 },
  deaths: [],
  body: Buffer.from('1'),
};
const death = (queue: string, reason: Death['reason']): Death => ({
  queue,
  reason,
  count: 1,
  exchange: '',
  routingKeys: [],
  time: 1,
});

describe('a dead letter', () => {
  it('has one more line of history, and no expiration', () => {
    const once = asDeadLetter(message, 'q', { reason: 'expired', time: 7 }, { exchange: 'dlx' });
    expect(once).toMatchObject({ exchange: 'dlx', routingKey: 'k', properties: { correlationId: 'c' } });
    expect(once.properties).not.toHaveProperty('expirationMs');
    expect(once.deaths).toEqual([
      {
        queue: 'q',
        reason: 'expired',
        count: 1,
        exchange: 'e',
        routingKeys: ['k'],
        time: 7,
        originalExpirationMs: 500,
      },
    ]);
    const twice = asDeadLetter(
      { ...message, deaths: once.deaths ?? [] },
      'q',
      { reason: 'expired', time: 9 },
      { exchange: 'dlx' },
    );
    expect(twice.deaths).toMatchObject([{ count: 2, time: 7 }]);
  });

  it('is carried on whatever its reason looks like', () => {
    expect(parseWhyDead('{"reason":"maxlen","time":3}')).toEqual({ reason: 'maxlen', time: 3 });
    const rest = { reason: 'failed', time: 3, to: ['a', 'b'] };
    expect(parseWhyDead(JSON.stringify(rest))).toEqual(rest);
    expect(parseWhyDead('{"to":["a",1]}')).toEqual({ reason: 'failed', time: 0 });
    expect(parseWhyDead('rubbish')).toEqual({ reason: 'failed', time: 0 });
  });

  it('loops only when no handler had it on its way', () => {
    const waited = [death('wait', 'expired'), death('q', 'rejected')];
    expect(isCycle(waited, 'q')).toBe(false);
    expect(isCycle([death('a', 'expired'), death('b', 'maxlen')], 'b')).toBe(true);
    expect(isCycle([death('a', 'expired')], 'c')).toBe(false);
  });

  it('has its error in its history, and the key it had unless its target has one', () => {
    const error = { name: 'TypeError', message: 'no', stack: '' };
    const died = asDeadLetter(message, 'q', { reason: 'failed', time: 7, error }, { exchange: '', routingKey: 'lost' });
    expect(died).toMatchObject({ exchange: '', routingKey: 'lost' });
    expect(died.deaths?.[0]?.error).toBe(error);
    const plain = asDeadLetter({ ...message, properties: {} }, 'q', { reason: 'failed', time: 7 }, { exchange: 'dlx' });
    expect(plain.deaths).toStrictEqual([{ ...death('q', 'failed'), exchange: 'e', routingKeys: ['k'], time: 7 }]);
  });

  it('goes where its queue says, or into a queue of its own', () => {
    const settings = resolveQueue({ name: 'mail' });
    expect(deadLetterTarget(settings)).toEqual({ exchange: '', routingKey: 'mail.dead-letters' });
    const target = { exchange: 'dlx' };
    expect(deadLetterTarget({ ...settings, deadLetter: target })).toBe(target);
  });

  const error = { name: 'Error', message: 'no', stack: '' };
  it.each<[written: unknown, read: object]>([
    [
      { reason: 'expired', time: 5, error, handler: 'h' },
      { reason: 'expired', time: 5, error, handler: 'h' },
    ],
    [
      { reason: 5, time: '5' },
      { reason: 'failed', time: 0 },
    ],
    [
      { time: null, error: null, handler: 5 },
      { reason: 'failed', time: 0 },
    ],
    [
      { reason: 'expired', time: 5, error: 'x', handler: null },
      { reason: 'expired', time: 5 },
    ],
    [null, { reason: 'failed', time: 0 }],
  ])('says why it died, as far as that can be read: %p', (written, read) => {
    expect(parseWhyDead(JSON.stringify(written))).toStrictEqual(read);
  });
});
