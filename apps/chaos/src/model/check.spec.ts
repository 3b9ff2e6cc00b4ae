import { describe, expect, it } from '@jest/globals';
import { type CheckResult, check } from './check.js';
import type { Evidence } from './evidence.js';
import type { JournalEntry, Unstamped } from './journal-entry.js';
import type { Observation } from './observation.js';

const queue = 'work';
const record = (seq: number, offset = seq, key = 'k') => ({ topic: 't', partition: 0, offset, key, seq });
const attempt = (seq: number, { epoch = 1, offset = seq } = {}) => ({ ...record(seq, offset), epoch, attempt: 1 });
const message = (id: string, clockMs = 1000) => ({ queue, id, attempt: 1, clockMs });
const receipt = { queues: [queue], deadLetteredBy: [], refusedBy: [], sentAt: 0, sentMs: 900, delayMs: 0 };
const seen = (kind: Observation['kind'], epoch: number, owner: string, offset = 0): Observation => {
  const place = { server: 's', topic: 't', partition: 0, owner, epoch };
  return kind === 'acquired' ? { kind, ...place } : { kind, ...place, offset, isSeek: false };
};
const sample = {
  at: 0,
  queue,
  messages: 5,
  ready: 2,
  delayed: 1,
  unacked: { a: 2 },
  parked: 0,
  dying: 0,
  completed: 0,
  completedFields: 0,
};

/** Two records and a message: all confirmed, handled once, in order. */
const goodJournal: readonly Unstamped[] = [
  { kind: 'record-confirmed', ...record(0) },
  { kind: 'record-confirmed', ...record(1) },
  { kind: 'message-confirmed', id: 'm', ...receipt },
  { kind: 'record-begun', ...attempt(0) },
  { kind: 'record-handled', ...attempt(0) },
  { kind: 'record-begun', ...attempt(1) },
  { kind: 'record-handled', ...attempt(1) },
  { kind: 'committed', topic: 't', partition: 0, epoch: 1, offset: 2 },
  { kind: 'message-begun', ...message('m') },
  { kind: 'message-handled', ...message('m') },
  { kind: 'record-batched', ...record(0) },
  { kind: 'record-batched', ...record(1) },
];

function evidence(
  changes: Partial<Omit<Evidence, 'journal'>> & { readonly journal?: readonly Unstamped[] } = {},
): Evidence {
  const { journal = goodJournal, ...rest } = changes;
  const stamped = journal.map((entry, index): JournalEntry => ({ at: index * 1000, process: 'p', ...entry }));
  return {
    observations: [seen('acquired', 1, 'a'), seen('committed', 1, 'a', 2), seen('acquired', 2, 'b')],
    queueSamples: [sample],
    partitionSamples: [{ topic: 't', partition: 0, start: 0, end: 2, lastEntry: 2, committed: 2 }],
    faults: [],
    crew: { producer: [], consumer: [] },
    healedAt: -1,
    final: {
      records: [record(0), record(1)],
      deadRecords: [],
      deadMessages: [],
      stayed: [],
      completed: [],
      notFound: [],
      stale: [],
      undrained: [],
      leftoverKeys: [],
    },
    limits: { prefetch: { [queue]: 2 }, ready: { [queue]: 2 }, completed: {} },
    mayLoseUnconfirmed: false,
    ...rest,
    journal: stamped,
  };
}

function without(kind: Unstamped['kind'], seq?: number): Unstamped[] {
  return goodJournal.filter(
    (entry) => entry.kind !== kind || (seq !== undefined && 'seq' in entry && entry.seq !== seq),
  );
}

/** The only rule that was broken, and how often. */
function broken(result: CheckResult): string[] {
  return [...new Set(result.violations.map((text) => text.slice(0, text.indexOf(':'))))];
}

const final = evidence().final;
/** The second message after the first. */
const twoHandled: readonly Unstamped[] = [
  ...goodJournal,
  { kind: 'message-confirmed', id: 'n', ...receipt },
  { kind: 'message-begun', ...message('n', 1001) },
  { kind: 'message-handled', ...message('n', 1001) },
];
type Changes = NonNullable<Parameters<typeof evidence>[0]>;

/** The queue keeps as many completed messages as there are: ids and times. */
function keeping(...all: (readonly [id: string, completedAt: number] | Changes)[]): Changes {
  const kept = all.filter((each) => Array.isArray(each)).map(([id, completedAt]) => ({ queue, id, completedAt }));
  const changes = all.filter((each) => !Array.isArray(each));
  const { limits } = evidence();
  return Object.assign(
    { limits: { ...limits, completed: { [queue]: Math.max(1, kept.length) } }, final: { ...final, completed: kept } },
    ...changes,
  );
}

describe('the checker', () => {
  it('finds nothing in a run in which all went well, and counts it', () => {
    const result = check(evidence());
    expect(result.violations).toEqual([]);
    expect(result).toMatchObject({ confirmed: 3, handled: 3, deadLettered: 0, duplicates: 0, commitsObserved: 1 });
  });

  it('finds a record that waited for its batch, and was in none', () => {
    const result = check(evidence({ journal: without('record-batched', 0) }));
    expect(result).toMatchObject({ lostInBatches: 1, violations: [expect.stringContaining('and in no batch')] });
  });

  it('finds a record of a topic that was declared again, which its group passed over, and none of before', () => {
    const sent = (id: string, sentAt: number): Unstamped => ({ kind: 'campaign-confirmed', id, offset: 0, sentAt });
    const journal = [...goodJournal, sent('before', 10), sent('after', 30), sent('handled', 31)];
    const faults = [{ kind: 'recreate-topic', beganAt: 19, endedAt: 20, isOutage: false }];
    const result = check(evidence({ journal: [...journal, { kind: 'campaign-handled', id: 'handled' }], faults }));
    expect(result).toMatchObject({ lostInRecreations: 1, violations: [expect.stringContaining('record after was')] });
  });

  it('allows that what was handled is handled again, and counts it', () => {
    const again: Unstamped[] = [
      { kind: 'record-begun', ...attempt(0, { epoch: 2 }) },
      { kind: 'record-handled', ...attempt(0, { epoch: 2 }) },
    ];
    expect(check(evidence({ journal: [...goodJournal, ...again] }))).toMatchObject({ duplicates: 1, violations: [] });
  });

  it('finds nothing where the newest completed message is kept', () => {
    const result = check(evidence(keeping(['n', 1001], { journal: twoHandled })));
    expect(result).toMatchObject({ keptCompleted: 1, violations: [] });
    // One that became a dead letter was not completed.
    const dead = { ...final, completed: [{ queue, id: 'm', completedAt: 1000 }], deadMessages: [{ queue, id: 'n' }] };
    expect(check(evidence({ ...keeping(['m', 1000]), journal: twoHandled, final: dead }))).toMatchObject({
      violations: [],
    });
  });

  it('takes a dead letter for handled', () => {
    const dead = { ...final, deadRecords: [record(1)], deadMessages: [{ queue, id: 'm' }] };
    const journal = without('record-handled', 1).filter(({ kind }) => kind !== 'message-handled');
    expect(check(evidence({ journal, final: dead }))).toMatchObject({ deadLettered: 2, violations: [] });
  });

  const violations: [
    string,
    keyof CheckResult,
    Partial<Omit<Evidence, 'journal'>> & { journal?: readonly Unstamped[] },
  ][] = [
    ['a record that was confirmed and never handled', 'lost', { journal: without('record-handled', 1) }],
    ['a message that was confirmed and never handled', 'lost', { journal: without('message-handled') }],
    [
      'a message that one of two queues lost',
      'lost',
      { journal: [...goodJournal, { kind: 'message-confirmed', id: 'm', ...receipt, queues: [queue, 'other'] }] },
    ],
    [
      'a message that a full queue dead-lettered and that is nowhere',
      'lost',
      {
        journal: [
          ...goodJournal,
          { kind: 'message-confirmed', id: 'x', ...receipt, queues: [], deadLetteredBy: [queue] },
        ],
      },
    ],
    [
      'a hole in the offsets',
      'offsetViolations',
      {
        journal: goodJournal.filter(({ kind }) => kind.startsWith('message')),
        final: { ...final, records: [record(0), record(1, 2)] },
      },
    ],
    [
      'an offset that names another record than was confirmed',
      'offsetViolations',
      { journal: [...goodJournal, { kind: 'record-confirmed', ...record(0, 1, 'other') }, ...handled(0, 'other')] },
    ],
    [
      'an offset that named another record when it was handled',
      'offsetViolations',
      { journal: [...goodJournal, { kind: 'record-begun', ...attempt(7, { offset: 1 }) }] },
    ],
    [
      'a counter that disagrees with the stream',
      'offsetViolations',
      { partitionSamples: [{ topic: 't', partition: 0, start: 0, end: 3, lastEntry: 2, committed: 2 }] },
    ],
    [
      'a record that was begun before its predecessor was handled',
      'orderViolations',
      {
        journal: [3, 5, 4, 6].map((index) => goodJournal[index]!).concat(goodJournal.slice(0, 3), goodJournal.slice(7)),
      },
    ],
    [
      'a predecessor that was only begun',
      'orderViolations',
      {
        journal: [3, 5, 6, 4].map((index) => goodJournal[index]!).concat(goodJournal.slice(0, 3), goodJournal.slice(7)),
      },
    ],
    [
      'records of a key that stand in another order than they were sent in',
      'orderViolations',
      {
        journal: goodJournal.filter(({ kind }) => kind.startsWith('message')),
        final: { ...final, records: [record(1, 0), record(0, 1)] },
      },
    ],
    [
      'a record that stands in the log twice',
      'orderViolations',
      {
        journal: goodJournal.filter(({ kind }) => kind.startsWith('message')),
        final: { ...final, records: [record(0, 0), record(0, 1)] },
      },
    ],
    [
      'two owners that commit in one epoch',
      'dualOwners',
      { observations: [seen('acquired', 1, 'a'), seen('committed', 1, 'a', 1), seen('committed', 1, 'b', 2)] },
    ],
    [
      'an epoch that is given twice',
      'dualOwners',
      { observations: [seen('acquired', 1, 'a'), seen('acquired', 1, 'b')] },
    ],
    ['an epoch that goes back', 'dualOwners', { observations: [seen('acquired', 3, 'a'), seen('acquired', 2, 'b')] }],
    [
      'a commit of an epoch that was over',
      'staleCommitsAccepted',
      { observations: [seen('acquired', 1, 'a'), seen('acquired', 2, 'b'), seen('committed', 1, 'a', 1)] },
    ],
    [
      'a committed offset that goes back',
      'committedRegressions',
      { observations: [seen('committed', 1, 'a', 5), seen('committed', 1, 'a', 4)] },
    ],
    [
      'a delayed message that was early',
      'earlyDeliveries',
      {
        journal: goodJournal.map((entry) =>
          entry.kind === 'message-confirmed' ? { ...entry, delayMs: 102, sentMs: 900 } : entry,
        ),
      },
    ],
    [
      'a consumer that held too many',
      'limitsExceeded',
      { queueSamples: [{ ...sample, messages: 6, unacked: { a: 3 } }] },
    ],
    [
      'a queue that was longer than allowed',
      'limitsExceeded',
      { queueSamples: [{ ...sample, messages: 6, ready: 3 }] },
    ],
    [
      'a message of which one queue made two dead letters',
      'secondDeaths',
      { final: { ...final, deadMessages: ['left', 'right', 'right'].map((of) => ({ queue: of, id: 'x' })) } },
    ],
    ['a dead letter that its id does not lead to', 'lostIds', { final: { ...final, notFound: ['x of graves'] } }],
    ['an entry that stayed behind', 'stale', { final: { ...final, stale: ['queue crowd counts 0 stale entries'] } }],
    ['a message that was to stay and is gone', 'stayViolations', { journal: [...goodJournal, stays('s', 12)] }],
    ['a message that stayed twice', 'stayViolations', { final: { ...final, stayed: ['s', 's'] } }],
    [
      'messages that stayed in another order',
      'stayViolations',
      { journal: [...goodJournal, stays('s', 12), stays('t', 13)], final: { ...final, stayed: ['t', 's'] } },
    ],
    [
      'more completed messages than are to be kept',
      'completedViolations',
      keeping(['m', 1000], { queueSamples: [{ ...sample, completed: 2, completedFields: 4 }] }),
    ],
    [
      'a field of a completed message that is not kept',
      'completedViolations',
      { queueSamples: [{ ...sample, completedFields: 1 }] },
    ],
    ['a completed message that was never handled', 'completedViolations', keeping(['m', 1000], ['x', 999])],
    ['a completed message that is kept twice', 'completedViolations', keeping(['m', 1000], ['m', 999])],
    [
      'completed messages that are not listed by their times',
      'completedViolations',
      keeping(['m', 1000], ['n', 1002], { journal: twoHandled }),
    ],
    [
      'an older completed message that is kept in the place of a newer one',
      'completedViolations',
      keeping(['m', 1000], { journal: twoHandled }),
    ],
    ['a completed message that is not kept', 'completedViolations', keeping()],
    ['a message in no state', 'countMismatches', { queueSamples: [{ ...sample, messages: 6 }] }],
    ['a message in two states', 'countMismatches', { queueSamples: [{ ...sample, dying: 1 }] }],
    ['something that was not drained', 'undrained', { final: { ...final, undrained: ['queue work: 1 ready'] } }],
    ['a key that was left', 'leftoverKeys', { final: { ...final, leftoverKeys: ['millrace:{queue:work}:meta'] } }],
  ];

  it.each(violations)('finds %s', (_, rule, changes) => {
    const result = check(evidence(changes));
    expect(broken(result)).toEqual([rule]);
    expect(result[rule]).toBeGreaterThan(0);
  });

  it('finds two members that wrote down commits in one epoch', () => {
    const journal = evidence().journal;
    const other: JournalEntry = {
      at: 9,
      process: 'q',
      kind: 'committed',
      topic: 't',
      partition: 0,
      epoch: 1,
      offset: 1,
    };
    expect(broken(check({ ...evidence(), journal: [...journal, other] }))).toEqual(['dualOwners']);
  });

  it('finds a process that confirmed or handled nothing after the last fault', () => {
    const crew = { producer: ['p', 'q'], consumer: ['p'] };
    expect(check(evidence({ crew }))).toMatchObject({ absences: 2 });
    // The last record was handled at 6 ms, and the message at 9 ms.
    const result = check(evidence({ crew: { producer: [], consumer: ['p'] }, healedAt: 7000 }));
    expect(result.violations).toEqual(['absences: p: no record-handled after the last fault']);
  });

  it('finds that one who is alone begins what came later before what came earlier', () => {
    const line = (order: readonly string[], unacked: readonly string[], sentAt = 13_000) =>
      evidence({
        journal: [
          ...goodJournal,
          { kind: 'message-confirmed', id: 'first', ...receipt, queues: ['line'], sentAt },
          { kind: 'message-confirmed', id: 'second', ...receipt, queues: ['line'], sentAt: sentAt + 1 },
          { kind: 'registered', queue: 'line', registration: 'one' },
          ...order.flatMap((id) => handledIn('line', id)),
        ],
        queueSamples: [
          { ...sample, messages: 0, ready: 0, delayed: 0, queue: 'line', unacked: zeros(unacked), at: 12_000 },
        ],
      });
    expect(check(line(['first', 'second'], ['one']))).toMatchObject({ inLine: 2, violations: [] });
    const result = check(line(['second', 'first'], ['one']));
    expect(result.violations).toEqual([
      'lineViolations: first was confirmed before second was sent, and begun after it by p',
    ]);
    // Not while another was registered, of what was sent before it was alone, or of what was sent together.
    expect(check(line(['second', 'first'], ['one', 'another']))).toMatchObject({ inLine: 0, violations: [] });
    expect(check(line(['second', 'first'], ['one'], 11_000))).toMatchObject({ inLine: 0, violations: [] });
    expect(check(line(['second', 'first'], ['one'], 11_999.5))).toMatchObject({ inLine: 1, violations: [] });
  });

  it('measures a stall from what could be handled, or from the last fault, until it was begun', () => {
    const fault = { kind: 'kill-consumer', beganAt: 7000, endedAt: 7500, isOutage: false };
    // The message was confirmed at 2 ms and begun at 8 ms.
    expect(check(evidence())).toMatchObject({ longestStallMs: 6 });
    expect(check(evidence({ faults: [fault] }))).toMatchObject({ longestStallMs: 4 });
  });
});

function stays(id: string, sentAt: number): Unstamped {
  return { kind: 'stay-confirmed', id, sentAt: sentAt * 1000 };
}

function handledIn(of: string, id: string): Unstamped[] {
  const what = { ...message(id), queue: of };
  return [
    { kind: 'message-begun', ...what },
    { kind: 'message-handled', ...what },
  ];
}

function zeros(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

function handled(seq: number, key: string): Unstamped[] {
  const place = { ...attempt(seq), key };
  return [
    { kind: 'record-begun', ...place },
    { kind: 'record-handled', ...place },
    { kind: 'record-batched', ...record(seq, seq, key) },
  ];
}
