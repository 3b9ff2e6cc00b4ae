import { describe, expect, it } from '@jest/globals';
import { resolveQueue } from './queue-settings.js';
import { emptyTopology, withEdits } from './topology.js';

describe('a topology after edits', () => {
  it('is a new one, with a version of its own where it is given', () => {
    const before = { ...emptyTopology, version: 7, queues: new Map([['mail', resolveQueue({ name: 'mail' })]]) };
    const after = withEdits(before, [{ table: 'queues', id: 'mail' }], 8);
    expect([before.queues.size, after.queues.size]).toEqual([1, 0]);
    expect([after.version, withEdits(before, []).version]).toEqual([8, 7]);
    expect(emptyTopology).toEqual({ version: 0, exchanges: new Map(), queues: new Map(), bindings: new Map() });
  });
});
