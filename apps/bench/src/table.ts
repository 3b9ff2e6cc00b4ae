import type { Comparison, Spread } from './comparison.js';

/** The results as a Markdown table, which also reads well in a terminal. */
export function table(comparisons: readonly Comparison[]): string {
  const named = comparisons.flatMap((row) => [...Object.keys(row.peers), ...Object.keys(row.refused)]);
  const peers = [...new Set(named)].filter((name) => name !== 'millrace' && name !== 'ceiling');
  const head = ['scenario', 'unit', 'Millrace (min–max)', 'of ceiling', ...peers, 'target'];
  const rows = comparisons.map((row) => [
    row.scenario,
    row.unit,
    showSpread(row.ours),
    row.ofCeiling === null ? '' : `${Math.round(row.ofCeiling * 100)} %`,
    ...peers.map((peer) => showPeer(row, peer)),
    row.targets.map(showTarget).join(', '),
  ]);
  return layOut([head, ...rows]);
}

/** What stands below the table: who is missing, and whose numbers are kept back. */
export function remarks(comparisons: readonly Comparison[]): string[] {
  const absent = new Map(comparisons.flatMap((row) => Object.entries(row.absent)));
  const refused = comparisons.flatMap((row) =>
    Object.entries(row.refused).map(([peer, why]) => `not compared: ${row.scenario} with ${peer}: ${why}`),
  );
  const isJudged = comparisons.every(({ targets }) => targets.every(({ isMet }) => isMet !== null));
  const short = isJudged ? [] : ['a quick run shows the order of things; whether a target is met, a whole run tells'];
  return [...[...absent].map(([peer, why]) => `absent: ${peer}: ${why}`), ...refused, ...short];
}

/** A number with three digits that count: 123,000 rather than 123,456. */
export function showNumber(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function showSpread(spread: Spread | null): string {
  if (spread === null) return '–';
  return `${showNumber(spread.median)} (${showNumber(spread.min)}–${showNumber(spread.max)})`;
}

/** The peer's median and how ours relates to it. */
function showPeer(row: Comparison, peer: string): string {
  const spread = row.peers[peer];
  if (spread === undefined) return peer in row.refused ? 'not compared' : peer in row.absent ? 'absent' : '';
  const ratio = row.ratio[peer];
  return ratio === undefined ? showNumber(spread.median) : `${showNumber(spread.median)} (${showNumber(ratio)}×)`;
}

function showTarget({ against, wanted, isMet }: Comparison['targets'][number]): string {
  const mark = isMet === null ? '' : isMet ? '✓ ' : '✗ ';
  return `${mark}${wanted}${against === 'ours' ? '' : ` × ${against}`}`;
}

/** Rows as a Markdown table, the first being its head. */
export function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => [...(row[column] ?? '')].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
