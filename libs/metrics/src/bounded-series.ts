import type { Series } from './pulled-metrics.js';
import { others, type Rosters } from './roster.js';

/** The reader of one scrape's series. */
export interface Look {
  readonly rosters: Rosters;
  readonly snapshot: object;
}

/** The series with a place in the roster of their labels, and one for the rest, whose value `combine` computes from theirs. */
export function boundedSeries(
  series: readonly Series[],
  { rosters, snapshot }: Look,
  combine: (values: readonly number[]) => number,
): readonly Series[] {
  const labelNames = Object.keys(series[0]?.labels ?? {});
  if (labelNames.length === 0) return series;
  const roster = rosters.of(labelNames);
  roster.renew(snapshot);
  const together = Object.fromEntries(labelNames.map((name) => [name, others]));
  const nameOfOthers = nameOf(together);
  const own: Series[] = [];
  const rest: number[] = [];
  for (const one of series) {
    const name = nameOf(one.labels);
    if (name !== nameOfOthers && roster.nameOf(name) === name) own.push(one);
    else rest.push(one.value);
  }
  return rest.length === 0 ? own : [...own, { labels: together, value: combine(rest) }];
}

/** Joined by a control character, which no name has. */
function nameOf(labels: Series['labels']): string {
  return Object.values(labels).join('\n');
}
