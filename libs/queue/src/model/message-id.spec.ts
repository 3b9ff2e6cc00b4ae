import { describe, expect, it } from '@jest/globals';
import { MessageIds } from './message-id.js';

describe('ids that no other process makes', () => {
  it('are a prefix of eight characters and a counter in base 36', () => {
    const ids = new MessageIds(Buffer.from([0xff, 0, 1, 2, 3, 4, 5, 6]));
    const made = Array.from({ length: 38 }, () => ids.next());
    expect([made[0], made[1], made[35], made[36], made[37]]).toEqual(
      ['0', '1', 'z', '10', '11'].map((count) => `_wABAgME${count}`),
    );
    expect(new Set(made).size).toBe(38);
  });
});
