import type { Stage } from '../stage.js';
import { playRouting } from './routing.js';

export const watch = 'a key leads to the queues that are bound with exactly it: one, several, or none.';

export async function play(stage: Stage): Promise<void> {
  await playRouting(stage, {
    exchange: 'notify',
    type: 'direct',
    bindings: { email: ['email'], sms: ['sms'], audit: ['email', 'sms'] },
    expected: { email: ['email', 'audit'], sms: ['sms', 'audit'], push: [], 'email.urgent': [] },
  });
}
