import { describe, expect, it } from '@jest/globals';
import { Events } from './events.js';
import { HandledRun } from './handled-run.js';

describe('a run of deliveries', () => {
  it('is emitted to each listener as it registered, once', () => {
    // given who wants events, who wants one event, who wants runs, and who does not listen any more
    const events = new Events();
    const heard: (number | undefined)[] = [];
    const heardOnce: (number | undefined)[] = [];
    const runs: number[] = [];
    // What a listener throws goes no further: it would not fail this test.
    const wrong: string[] = [];
    const gone = () => wrong.push('emitted to a removed listener');
    events.on('handled', ({ durationMs }) => heard.push(durationMs));
    events.once('handled', ({ timestamp }) => heardOnce.push(timestamp));
    events.onHandled(
      () => wrong.push('emitted events to a listener for runs'),
      ({ count }) => runs.push(count),
    );
    events.onHandled(gone, gone);
    events.off('handled', gone);

    // when three deliveries are emitted, the second of which ended before the third began
    const run = new HandledRun({ handler: 'h', source: 'topic:t', group: 'g' });
    run.add(10, 1);
    run.endedBy(12);
    run.add(12, 2);
    run.endedBy(15);
    run.add(20, 3);
    run.endedBy(24);
    run.endedBy(30);
    events.emitRun(run);

    // then each listener received all of it, and the run is empty again
    expect(heard).toEqual([2, 3, 4]);
    expect(heardOnce).toEqual([1]);
    expect(runs).toEqual([3]);
    expect(wrong).toEqual([]);
    expect(run.count).toBe(0);

    // and an empty one is not emitted
    events.emitRun(run);
    expect(runs).toEqual([3]);
  });
});
