import type { Stage } from '../stage.js';
import { playRouting } from './routing.js';

export const watch = 'an order is told once, and e-mail, SMS and inventory each get a message of their own.';

export async function play(stage: Stage): Promise<void> {
  const all = ['email', 'sms', 'inventory'];
  await playRouting(stage, {
    exchange: 'order-created',
    type: 'fanout',
    bindings: { email: [''], sms: [''], inventory: [''] },
    expected: { '': all, 'india.order': all, 'any.key.at.all': all },
  });
}
