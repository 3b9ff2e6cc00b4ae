import { describe, expect, it } from '@jest/globals';
import { compare } from './comparison.js';
import { paceTable } from './pace-table.js';
import { type PageEntry, pageSection } from './page-section.js';
import { scenarios } from './scenarios.js';

const circumstances = {
  commit: 'abc',
  at: '2026-12-01T10:00:00.000Z',
  node: 'v20',
  machine: '2 × CPU',
  servers: { redis: 'redis-server 7' },
  isQuick: false,
  loadAtStart: 0.2,
};

function entries(scenarioName: string, bySubject: Record<string, readonly number[]>): PageEntry[] {
  const scenario = scenarios.find(({ name }) => name === scenarioName);
  if (scenario === undefined) throw new Error(`there is no scenario ${scenarioName}`);
  const [result] = scenario.results;
  const samples = Object.entries(bySubject).map(
    ([subject, values]) =>
      [
        subject,
        values.map((value) => ({
          values: { [result?.name ?? '']: value },
          settings: { payloadBytes: 100 },
          messages: 1,
          seconds: 1,
          delivery: null,
        })),
      ] as const,
  );
  const compared = compare(scenario, { samples: new Map(samples), absent: {}, rounds: 5, isJudged: true });
  // As it comes out of a file.
  return JSON.parse(JSON.stringify(compared.map((row) => ({ ...row, ...circumstances })))) as PageEntry[];
}

const rows = [
  ...entries('queue.publish.awaited', { millrace: [40, 41, 42, 43, 44], bullmq: [10, 10, 10, 10, 10] }),
  ...entries('queue.process.100', { millrace: [95, 96, 97, 98, 101], bullmq: [10, 10, 10, 10, 10] }),
  ...entries('queue.publish.bulk', { millrace: [50, 51, 52, 53, 54], bullmq: [10, 10, 10, 10, 10] }),
];

describe('the page of a run', () => {
  const page = pageSection(rows, 'docs/bench/run.json');

  it('says of how many rounds, how sure, and where it comes from', () => {
    expect(page).toContain(
      'Medians of 5 alternating rounds, with their 94 % confidence intervals, on 2 × CPU, Node v20:',
    );
    expect(page).toContain('Made from [run.json](bench/run.json)');
  });

  it('tells what was missed from what was met within noise', () => {
    expect(page).toContain(
      'Targets that this run missed:\n\n- queue.publish.bulk: 5.2 (5–5.4) × bullmq, wanted ≥ 10 × bullmq\n',
    );
    expect(page).toMatch(
      /which counts as met:\n\n- queue\.process\.100: 9\.7 \(9\.5–10\.1\) × bullmq, wanted ≥ 10 × bullmq\n/,
    );
    expect(page).toContain('✓ ≥ 4 × bullmq (4–4.4)');
  });

  it('describes every scenario, and says which were not in the run', () => {
    for (const { name } of scenarios) expect(page).toContain(`- **${name}**: `);
    expect(page).toMatch(/\*\*burst\*\*: .*\(not in this run\)/);
  });
});

it('the table of the README has ours and the peers', () => {
  expect(paceTable(rows)).toContain('| 97 a second | BullMQ 10 (9.7 times) |');
});
