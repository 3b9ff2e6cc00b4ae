import { describe, expect, it } from '@jest/globals';
import { WriteError } from '@millrace/core';
import type { Receipt } from '../model/receipt.js';
import { Publication } from './publication.js';
import { PublicationTarget } from './publication-target.js';

/** A publication, and what its caller was notified of. */
function publication(route: { queues?: readonly string[]; topics?: readonly string[] } = {}) {
  const results: (Receipt | WriteError)[] = [];
  const listener = {
    deadlineMs: Number.POSITIVE_INFINITY,
    confirmed: (receipt: Receipt) => void results.push(receipt),
    failed: (error: unknown) => void results.push(error as WriteError),
  };
  const target = new PublicationTarget({ exchange: 'e', routingKey: 'k', body: 1 }, {}, 0, false);
  const sent = new Publication('entry', 'frame', '', target, listener, 0);
  sent.route = { queues: route.queues ?? [], topics: route.topics ?? [] };
  sent.slots = sent.route.queues;
  return { sent, results };
}

describe('a message that is given up', () => {
  it.each<[mayBe: boolean, when: string, route: Parameters<typeof publication>[0], until: (sent: Publication) => void]>(
    [
      [false, 'it was not sent', { queues: ['q'] }, () => undefined],
      [false, 'a call with it is certain not to have been executed', { queues: ['q'] }, (sent) => sent.sent(1)],
      [
        true,
        'a call with it may have been executed',
        { queues: ['q'] },
        (sent) => {
          sent.sent(1);
          sent.uncertainCalls++;
        },
      ],
      [
        true,
        'one of its queues has it',
        { queues: ['q', 'r'] },
        (sent) => {
          sent.sent(2);
          sent.replied('q', undefined);
          sent.callEnded('replied');
        },
      ],
      [
        true,
        'all its queues have it, and a topic has not replied yet',
        { queues: ['q'], topics: ['t'] },
        (sent) => {
          sent.sent(1);
          sent.allTook();
          sent.callEnded('replied');
        },
      ],
      [
        true,
        'its only topic has not replied yet',
        { topics: ['t'] },
        (sent) => {
          sent.sent(1);
          sent.callEnded('replied');
        },
      ],
    ],
  )('may be written: %s, when %s', (mayBe, _when, route, until) => {
    const { sent, results } = publication(route);
    until(sent);
    sent.giveUp('timeout', 'no reply');
    expect(results).toEqual([expect.objectContaining({ mayBeWritten: mayBe })]);
  });

  it('stays given up, whatever still comes', () => {
    const { sent, results } = publication({ queues: ['q'] });
    sent.sent(1);
    sent.giveUp('timeout', 'no reply');
    sent.sent(1);
    sent.allTook();
    expect(sent.callEnded('replied')).toBe('nothing');
    sent.confirm();
    expect(results).toEqual([expect.any(WriteError)]);
  });
});
