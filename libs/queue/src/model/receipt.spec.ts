import { describe, expect, it } from '@jest/globals';
import { PlainReceipt } from './receipt.js';

describe('a receipt', () => {
  it('says whether any queue has the message', () => {
    const empty = { topics: [], refused: [], duplicates: [] };
    expect({ ...new PlainReceipt('a', ['q']) }).toEqual({
      messageId: 'a',
      queues: ['q'],
      isUnroutable: false,
      ...empty,
    });
    expect({ ...new PlainReceipt('a', []) }).toEqual({ messageId: 'a', queues: [], isUnroutable: true, ...empty });
  });
});
