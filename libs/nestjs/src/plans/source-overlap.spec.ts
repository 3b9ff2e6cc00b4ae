import { describe, expect, it } from '@jest/globals';
import { commonTopics, type Topics } from './source-overlap.js';

describe('two subscriptions of one group', () => {
  it.each<[Topics, Topics, string | undefined]>([
    [['orders'], ['orders', 'refunds'], 'topic "orders"'],
    [['orders'], ['refunds'], undefined],
    [['orders.placed'], /^orders\./, 'topic "orders.placed"'],
    [/^orders\./g, ['orders.placed'], 'topic "orders.placed"'],
    [/^orders\./, ['orders.dead-letters'], undefined],
    [/dead-letters$/, ['orders.dead-letters'], 'topic "orders.dead-letters"'],
    [/^orders\./, /^refunds\./, undefined],
    [/^orders\./, /^orders\.placed/, 'topics that both /^orders\\./ and /^orders\\.placed/ match'],
    [/^orders?/, /^order\./, 'topics that both /^orders?/ and /^order\\./ match'],
    [/^orders\./, /refunds/, 'topics that both /^orders\\./ and /refunds/ match'],
    [/^orders|x/, /^refunds/, 'topics that both /^orders|x/ and /^refunds/ match'],
    [/^queued weather: /, /^queued wind: /, undefined],
    [/^a b*/, /^a c/, 'topics that both /^a b*/ and /^a c/ match'],
    [/^für:\/\/\*/, /^für:\/\/x/, undefined],
    [/^🧾*/u, /^x/, 'topics that both /^🧾*/u and /^x/ match'],
    [/^Orders/i, /^orders/, 'topics that both /^Orders/i and /^orders/ match'],
  ])('%s and %s have in common: %s', (a, b, common) => {
    expect(commonTopics(a, b)).toBe(common);
  });
});
