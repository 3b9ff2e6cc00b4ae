import { describe, expect, it } from '@jest/globals';
import { asDeadLetter, idAfterDeath, isCycle, parseWhyDead, publishedId } from './dead-letter.js';
import type { Death } from './death.js';
import type { StoredMessage } from './message-frame.js';

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

  it('goes on under an id of that death, the same each time it is asked for, and keeps the id it was published with', () => {
    const id = idAfterDeath('order-1', { reason: 'failed', time: 100 });
    expect(id).toBe(idAfterDeath('order-1', { reason: 'failed', time: 100 }));
    const again = idAfterDeath(id, { reason: 'failed', time: 200 });
    expect(again).not.toBe(id);
    expect([id, again, 'order-1', '~~'].map(publishedId)).toEqual(['order-1', 'order-1', 'order-1', '~~']);
    expect(publishedId(idAfterDeath('x~~y', { reason: 'expired', time: 5, id: 'x' }))).toBe('x');
  });

  it('is carried on whatever its reason looks like', () => {
    expect(parseWhyDead('{"reason":"maxlen","time":3}')).toEqual({ reason: 'maxlen', time: 3 });
    expect(parseWhyDead('rubbish')).toEqual({ reason: 'failed', time: 0 });
  });

  it('goes round only when nobody looked at it on its way', () => {
    const waited = [death('wait', 'expired'), death('q', 'rejected')];
    expect(isCycle(waited, 'q')).toBe(false);
    expect(isCycle([death('a', 'expired'), death('b', 'maxlen')], 'b')).toBe(true);
    expect(isCycle([death('a', 'expired')], 'c')).toBe(false);
  });
});
