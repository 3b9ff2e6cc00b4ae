import type { Comparison, TargetVerdict } from './comparison.js';
import { type Estimate, leastConfidence } from './statistics.js';
import type { Verdict } from './verdict.js';

/** The results as a Markdown table, which also reads well in a terminal. */
export function table(comparisons: readonly Comparison[]): string {
  const named = comparisons.flatMap((row) => [...Object.keys(row.peers), ...Object.keys(row.refused)]);
  const peers = [...new Set(named)].filter((name) => name !== 'millrace' && name !== 'ceiling');
  const head = ['scenario', 'unit', 'Millrace (interval)', 'of ceiling', ...peers, 'target'];
  const rows = comparisons.map((row) => [
    row.scenario,
    row.unit,
    showOurs(row.ours),
    row.ofCeiling === null ? '' : `${Math.round(row.ofCeiling.median * 100)} %`,
    ...peers.map((peer) => showPeer(row, peer)),
    row.targets.map(showVerdict).join(', '),
  ]);
  return layOut([head, ...rows]);
}

/** What stands below the table: who is missing, whose numbers are kept back, what was delivered twice, and what the run cannot tell. */
export function remarks(comparisons: readonly Comparison[]): string[] {
  const absent = new Map(comparisons.flatMap((row) => Object.entries(row.absent)));
  const refused = comparisons.flatMap((row) =>
    Object.entries(row.refused).map(([peer, why]) => `not compared: ${row.scenario} with ${peer}: ${why}`),
  );
  return [
    ...[...absent].map(([peer, why]) => `absent: ${peer}: ${why}`),
    ...refused,
    ...comparisons.flatMap(({ scenario, note }) => (note === undefined ? [] : [`${scenario}: ${note}`])),
    ...deliveries(comparisons),
    ...undecided(comparisons),
  ];
}

/** How sure the intervals of a run are: `94 %`. */
export function confidenceOf(comparisons: readonly Comparison[]): string {
  const least = Math.min(...comparisons.flatMap(({ ours }) => ours?.confidence ?? []));
  return `${Math.round(least * 100)} %`;
}

function deliveries(comparisons: readonly Comparison[]): string[] {
  const all = comparisons.flatMap(({ scenario, delivery }) =>
    Object.entries(delivery).map(([subject, one]) => ({ scenario, subject, ...one })),
  );
  const sent = all.reduce((sum, delivery) => sum + delivery.sent, 0);
  const twice = all.filter(({ duplicates }) => duplicates > 0);
  const lines = twice.map(
    ({ scenario, subject, sent, duplicates }) =>
      `delivered more than once: ${scenario}, ${subject}: ${duplicates.toLocaleString('en-US')} deliveries beside one each of ${sent.toLocaleString('en-US')} messages`,
  );
  if (sent === 0) return [];
  const rest = twice.length === 0 ? 'exactly once' : 'exactly once, but for these';
  return [...lines, `checked by id: ${sent.toLocaleString('en-US')} messages were sent, and each was handled ${rest}`];
}

/** Why rows have no verdict; of a run that has none at all, which of them could not have one. */
function undecided(comparisons: readonly Comparison[]): string[] {
  const open = comparisons.flatMap(({ scenario, targets }) =>
    targets.filter(({ verdict }) => verdict === 'undecided').map((target) => ({ scenario, ...target })),
  );
  if (open.length === 0) return [];
  const isShort = open.some(({ reached }) => reached.confidence < leastConfidence);
  const wide = open.filter(({ isWiderThanMargin }) => isWiderThanMargin);
  return [
    ...wide.map(
      ({ scenario, wanted, against, reached }) =>
        `says nothing of its target: ${scenario}, ${wanted}${showAgainst(against)}: ${showInterval(reached)} is wider than the target’s margin`,
    ),
    isShort
      ? 'undecided (?): fewer than five rounds, or short windows, show the order of things; whether a target is met, a whole run tells'
      : 'undecided (?): the rounds contradict each other, or their windows were short: more rounds, or a quieter machine, tell',
  ];
}

/** A number with three digits that count: 123,000 rather than 123,456. */
export function showNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** An estimate as it stands in the table and in sentences: `97,000 (94,400–107,000)`. */
export function showInterval({ median, low, high }: Estimate): string {
  return `${showNumber(median)} (${showNumber(low)}–${showNumber(high)})`;
}

function showOurs(ours: Estimate | null): string {
  return ours === null ? '–' : showInterval(ours);
}

/** The peer's median and how ours relates to it. */
function showPeer(row: Comparison, peer: string): string {
  const theirs = row.peers[peer];
  if (theirs === undefined) return peer in row.refused ? 'not compared' : peer in row.absent ? 'absent' : '';
  const ratio = row.ratio[peer];
  return ratio === undefined
    ? showNumber(theirs.median)
    : `${showNumber(theirs.median)} (${showNumber(ratio.median)}×)`;
}

const marks: Readonly<Record<Verdict, string>> = { met: '✓', 'met within noise': '≈', missed: '✗', undecided: '?' };

/** Of a ratio its interval as well: only ours has one in a column of its own. */
function showVerdict({ against, wanted, verdict, reached }: TargetVerdict): string {
  const interval = against === 'ours' ? '' : ` (${showNumber(reached.low)}–${showNumber(reached.high)})`;
  return `${marks[verdict]} ${wanted}${showAgainst(against)}${interval}`;
}

/** What a target is held against; ours needs no name. */
export function showAgainst(against: string): string {
  return against === 'ours' ? '' : ` × ${against}`;
}

/** Rows as a Markdown table, the first being its head. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => [...(row[column] ?? '')].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
