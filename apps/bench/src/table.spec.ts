import { describe, expect, it } from '@jest/globals';
import { compare } from './comparison.js';
import type { Result, Sample, Scenario } from './scenario.js';
import { remarks, table } from './table.js';

interface Given {
  readonly target: NonNullable<Result['targets']>;
  readonly ours: readonly number[];
  readonly bullmq?: readonly number[];
  readonly duplicates?: number;
  readonly isJudged?: boolean;
}

function row({ target, ours, bullmq, duplicates = 0, isJudged = true }: Given) {
  const scenario: Scenario = {
    name: 'metrics.queue',
    what: '',
    results: [{ name: 'metrics.queue', unit: 'times', better: 'less', targets: target }],
    subjects: {},
  };
  const samples = (values: readonly number[]): Sample[] =>
    values.map((value) => ({
      values: { 'metrics.queue': value },
      settings: {},
      messages: 1,
      seconds: 1,
      delivery: { sent: 1000, duplicates },
      notes: { 'metrics.queue': `of ${value}` },
    }));
  const bySubject = { millrace: samples(ours), ...(bullmq === undefined ? {} : { bullmq: samples(bullmq) }) };
  return compare(scenario, {
    samples: new Map(Object.entries(bySubject)),
    absent: {},
    rounds: ours.length,
    isJudged,
  });
}

const atMost105 = { ours: { atMost: 1.05 } };

describe('a verdict in the table', () => {
  it.each([
    { verdict: 'met', ours: [1.02, 1.01, 1.03, 1, 1], cell: '✓ ≤ 1.05' },
    { verdict: 'met within noise', ours: [1.06, 1.04, 1.07, 1.06, 1.06], cell: '≈ ≤ 1.05' },
    { verdict: 'missed', ours: [1.06, 1.06, 1.07, 1.06, 1.06], cell: '✗ ≤ 1.05' },
    { verdict: 'undecided', ours: [1.31, 1, 1.6], cell: '? ≤ 1.05' },
  ])('that is $verdict reads $cell', ({ ours, cell }) => {
    expect(table(row({ target: atMost105, ours }))).toContain(`| ${cell} `);
  });

  it('shows the interval of a ratio', () => {
    const target = { bullmq: { atMost: 0.5 } };
    const shown = table(row({ target, ours: [1, 1, 1, 1, 1], bullmq: [4, 5, 4, 4, 2.5] }));
    expect(shown).toContain('✓ ≤ 0.5 × bullmq (0.2–0.4)');
  });
});

describe('below the table', () => {
  it('a quick run says per row that its interval is wider than the margin of the target', () => {
    // given: 31 % by the median, of rounds that differ by 60
    const wide = row({ target: atMost105, ours: [1.31, 1, 1.6], isJudged: false });
    expect(remarks(wide)).toContainEqual(
      'says nothing of its target: metrics.queue, ≤ 1.05: 1.31 (1–1.6) is wider than the target’s margin',
    );
    const narrow = row({ target: { ours: { atMost: 2 } }, ours: [1.31, 1.3, 1.32], isJudged: false });
    expect(remarks(narrow).filter((line) => line.startsWith('says nothing'))).toEqual([]);
    expect(remarks(narrow)).toContainEqual(expect.stringContaining('whether a target is met, a whole run tells'));
  });

  it('every message is accounted for', () => {
    const ours = [1, 1, 1, 1, 1];
    expect(remarks(row({ target: atMost105, ours }))).toContainEqual(
      'checked by id: 5,000 messages were sent, and each was handled exactly once',
    );
    expect(remarks(row({ target: atMost105, ours, bullmq: ours, duplicates: 2 }))).toEqual(
      expect.arrayContaining([
        'delivered more than once: metrics.queue, millrace: 10 deliveries beside one each of 5,000 messages',
        'delivered more than once: metrics.queue, bullmq: 10 deliveries beside one each of 5,000 messages',
        'checked by id: 10,000 messages were sent, and each was handled exactly once, but for these',
      ]),
    );
  });

  it('stands the note of the round whose number is the median', () => {
    expect(remarks(row({ target: atMost105, ours: [1, 3, 2, 5, 4] }))).toContainEqual('metrics.queue: of 3');
  });
});
