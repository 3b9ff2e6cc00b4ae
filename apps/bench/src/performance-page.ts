import { readFileSync, writeFileSync } from 'node:fs';
import type { Comparison } from './comparison.js';
import type { Circumstances } from './machine.js';
import { paceTable } from './pace-table.js';
import { scenarios } from './scenarios.js';
import { remarks, showNumber, table } from './table.js';

// Writes the tables of docs/performance.md and of the README from the JSON of a run, so that no number in them is typed:
// `node apps/bench/dist/performance-page.js docs/bench/<file>.json`

type Entry = Comparison & Circumstances;

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

const [source = ''] = process.argv.slice(2);
const entries = JSON.parse(readFileSync(source, 'utf8')) as readonly Entry[];
fill('docs/performance.md', section(entries));
fill('README.md', paceTable(entries));

function fill(page: string, content: string): void {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: it lies between ${begin} and ${end}`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`);
}

function section(rows: readonly Entry[]): string {
  const [first] = rows;
  if (first === undefined) throw new Error(`${source} has no entries`);
  const known = remarks(rows);
  return [
    ...provenance(rows),
    `Medians of ${first.rounds} alternating rounds on ${first.machine}, Node ${first.node}:`,
    '',
    ...Object.values(first.servers).map((server) => `- ${server}`),
    '',
    'A peer’s cell is its median, and in brackets ours divided by it. `min–max` is the spread of our rounds.',
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
function provenance(rows: readonly Entry[]): string[] {
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
function loadOf(row: Entry | undefined): string {
  const load = row?.loadAtStart ?? 0;
  return load < 1 ? '' : `, beside other programs (load ${load} when it began)`;
}

/** Which targets were missed, in one line each. */
function shortfalls(rows: readonly Entry[]): string[] {
  const missed = rows.flatMap((row) =>
    row.targets
      .filter(({ isMet }) => isMet === false)
      .map(({ against, wanted }) => {
        const reached =
          against === 'ours' ? row.ours?.median : against === 'ceiling' ? row.ofCeiling : row.ratio[against];
        const of = against === 'ours' ? '' : ` × ${against}`;
        return `- ${row.scenario}: ${showNumber(reached ?? 0)}${of}, wanted ${wanted}${of}`;
      }),
  );
  return missed.length === 0 ? [] : ['Targets that this run missed:', '', ...missed, ''];
}

function settingsOf(rows: readonly Entry[], scenario: string): string {
  const row = rows.find((entry) => entry.scenario === scenario || entry.scenario.startsWith(`${scenario}.`));
  if (row === undefined) return ' (not in this run)';
  const settings = Object.entries(row.settings).map(([name, value]) => `${name} ${value}`);
  return ` (${settings.join('; ')})`;
}
