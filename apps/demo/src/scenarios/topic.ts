import type { Stage } from '../stage.js';
import { playRouting } from './routing.js';

export const watch =
  'which patterns take "india.order.123". india.* does not: * is exactly one word, and after "india." there are two. india.# does.';

export async function play(stage: Stage): Promise<void> {
  await playRouting(stage, {
    exchange: 'orders',
    type: 'topic',
    bindings: { 'one-word': ['india.*'], india: ['india.#'], 'orders-anywhere': ['*.order.*'], everything: ['#'] },
    expected: {
      'india.order': ['one-word', 'india', 'everything'],
      'india.order.123': ['india', 'orders-anywhere', 'everything'],
      india: ['india', 'everything'],
      'india.payment': ['one-word', 'india', 'everything'],
      'usa.order.7': ['orders-anywhere', 'everything'],
      'usa.payment.refund.7': ['everything'],
    },
  });
}
