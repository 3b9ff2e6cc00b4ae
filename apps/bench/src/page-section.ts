import type { Comparison } from './comparison.js';
import type { Circumstances } from './machine.js';
import { scenarios } from './scenarios.js';
import { confidenceOf, remarks, showAgainst, showInterval, table } from './table.js';
import type { Verdict } from './verdict.js';

/** A row of a run's JSON. */
export type PageEntry = Comparison & Circumstances;

/** What docs/performance.md shows of a run: its tables, its verdicts, and what the rows are. `source` is the path of the JSON. */
export function pageSection(rows: readonly PageEntry[], source: string): string {
  const [first] = rows;
  if (first === undefined) throw new Error(`${source} has no entries`);
  const known = remarks(rows);
  return [
    ...provenance(rows, source),
    `Medians of ${first.rounds} alternating rounds, with their ${confidenceOf(rows)} confidence intervals, on ${first.machine}, Node ${first.node}:`,
    '',
    ...Object.values(first.servers).map((server) => `- ${server}`),
    '',
    'A peer’s cell is its median, and in brackets ours divided by it in the same round. A target is judged by the median: ✓ met, ≈ missed by less than the interval is wide, which counts as met, ✗ missed, ? undecided.',
    '',
    table(rows),
    '',
    ...known.map((remark) => `- ${remark}`),
    ...(known.length > 0 ? [''] : []),
    ...shortfalls(rows),
    '### What the rows are',
    '',
    ...scenarios.map(({ name, what }) => `- **${name}**: ${what}.${settingsOf(rows, name)}`),
  ].join('\n');
}

/** Which commit each row was measured at; more than one when a run was done in parts. */
function provenance(rows: readonly PageEntry[], source: string): string[] {
  const file = `[${source.split('/').pop()}](${source.replace(/^docs\//, '')})`;
  const commits = [...new Set(rows.map(({ commit }) => commit))];
  const parts = commits.map((commit) => {
    const own = rows.filter((row) => row.commit === commit);
    const at = own[0]?.at.slice(0, 16).replace('T', ' ');
    const names = commits.length === 1 ? '' : `: ${own.map(({ scenario }) => scenario).join(', ')}`;
    return `- ${at} UTC, commit \`${commit}\`${own[0]?.isQuick ? ', quick windows' : ''}${loadOf(own[0])}${names}`;
  });
  return [`Made from ${file}, measured`, '', ...parts, ''];
}

/** A run beside other programs must say so. */
function loadOf(row: PageEntry | undefined): string {
  const load = row?.loadAtStart ?? 0;
  return load < 1 ? '' : `, beside other programs (load ${load} when it began)`;
}

/** Which targets were missed or met within noise, in one line each. */
function shortfalls(rows: readonly PageEntry[]): string[] {
  const lines = (wantedVerdict: Verdict) =>
    rows.flatMap((row) =>
      row.targets
        .filter(({ verdict }) => verdict === wantedVerdict)
        .map(
          ({ against, wanted, reached }) =>
            `- ${row.scenario}: ${showInterval(reached)}${showAgainst(against)}, wanted ${wanted}${showAgainst(against)}`,
        ),
    );
  const missed = lines('missed');
  const near = lines('met within noise');
  return [
    ...(missed.length === 0 ? [] : ['Targets that this run missed:', '', ...missed, '']),
    ...(near.length === 0
      ? []
      : ['Targets that its median missed by less than its interval is wide, which counts as met:', '', ...near, '']),
  ];
}

function settingsOf(rows: readonly PageEntry[], scenario: string): string {
  const row = rows.find((entry) => entry.scenario === scenario || entry.scenario.startsWith(`${scenario}.`));
  if (row === undefined) return ' (not in this run)';
  const settings = Object.entries(row.settings).map(([name, value]) => `${name} ${value}`);
  return ` (${settings.join('; ')})`;
}
