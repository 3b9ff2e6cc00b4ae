import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { InFlightWindow } from './in-flight-window.js';
import { Publication } from './publication.js';
import { PublicationTarget } from './publication-target.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const settled: string[] = [];
const failed: string[] = [];

function publicationOf(id: string, body: object, deadlineMs: number): Publication {
  const target = new PublicationTarget({ exchange: '', routingKey: 'q', body }, {}, 0, true);
  const listener = { deadlineMs, confirmed: () => settled.push(id), failed: () => failed.push(id) };
  return new Publication(id, 'frame', '', target, listener, 0);
}

const left: Publication[] = [];
afterEach(() => {
  for (const publication of left.splice(0)) publication.confirm();
});

describe('what a publisher holds', () => {
  it('is what has no receipt yet, whatever came before it has none either', async () => {
    // given a message that Redis does not answer for
    const window = new InFlightWindow({ maxBufferedMessages: 10_000, maxBufferedBytes: 1_000_000 });
    const stuck = publicationOf('stuck', {}, performance.now() + 60_000);
    window.enter(stuck);
    left.push(stuck);
    // when others get their receipts behind it
    const bodies = Array.from({ length: 100 }, (_, index) => publishOne(window, `${index}`));
    await turn();
    collectGarbage();
    // then nothing refers to them any more
    expect(settled).toHaveLength(100);
    expect(window.count).toBe(1);
    expect(bodies.filter((body) => body.deref() !== undefined)).toEqual([]);
  });

  it('is given up at its deadline, and what came after it is not', async () => {
    // given one whose time is nearly over, and one with time
    const window = new InFlightWindow({ maxBufferedMessages: 10, maxBufferedBytes: 1_000 });
    const [late, early] = [
      publicationOf('late', {}, performance.now() + 5),
      publicationOf('early', {}, performance.now() + 60_000),
    ];
    for (const publication of [late, early]) window.enter(publication);
    left.push(early);
    // when its time is over
    while (!late.isSettled) await turn();
    // then
    expect(failed).toEqual(['late']);
    expect(window.count).toBe(1);
    expect(early.isSettled).toBe(false);
  });
});

/** In a function of its own, so that nothing here names the body. */
function publishOne(window: InFlightWindow, id: string): WeakRef<object> {
  const body = { id };
  const publication = publicationOf(id, body, performance.now() + 60_000);
  window.enter(publication);
  publication.confirm();
  return new WeakRef(body);
}
