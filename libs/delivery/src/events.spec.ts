import { describe, expect, it } from '@jest/globals';
import { Events } from './events.js';

describe('events of a connection', () => {
  it('may have any number of listeners: none of them is called a leak', () => {
    // given
    const events = new Events();
    // when: as many as consumers that stop together
    for (let listener = 0; listener < 50; listener++) events.on('handled', () => undefined);
    // then: Node writes a warning from this number on; 0 is never
    expect(events.getMaxListeners()).toEqual(0);
  });
});
