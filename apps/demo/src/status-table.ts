import type { GroupStatus, QueueStatus, Status, TopicStatus } from './status.js';

/** The table as lines of at most `width` characters. */
export function statusTable(status: Status, width: number): string[] {
  return [
    ...columns([topicHeader, ...status.topics.flatMap(topicRows)]),
    '',
    ...columns([queueHeader, ...status.queues.map(queueRow)]),
    '',
    `DEAD LETTERS  ${deadLetters(status)}`,
  ].map((line) => cut(line, width));
}

/** The same in one line, for where there is no terminal. */
export function statusLine({ topics, queues, deadLetters: dead }: Status): string {
  const logs = topics.map(({ name, records, groups }) => {
    const lags = groups.map((group) => `${group.name} lag ${group.lag}`);
    return [`topic ${name} ${records} records`, ...lags].join(', ');
  });
  const waiting = queues.map(({ name, waiting: count, perSecond }) => {
    return `queue ${name} ${count} waiting${perSecond === undefined ? '' : `, ${perSecond.toFixed(1)}/s out`}`;
  });
  return [...logs, ...waiting, `dead letters ${deadLetters({ deadLetters: dead })}`].join(' | ');
}

/** Cut to `width` characters, with a sign that something is missing. */
export function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

const topicHeader = ['TOPIC', 'partitions', 'records', 'in/s', 'GROUP', 'members', 'lag', 'behind', 'out/s'];
const queueHeader = ['QUEUE', 'waiting', 'in hand', 'delayed', 'oldest', 'consumers', 'out/s'];

/** A row for each group; what is the topic's stands in the first. */
function topicRows({ name, partitions, records, perSecond, groups }: TopicStatus): string[][] {
  const own = [name, String(partitions), String(records), rate(perSecond)];
  if (groups.length === 0) return [[...own, 'no group', '', '', '', '']];
  return groups.map((group, index) => [...(index === 0 ? own : ['', '', '', '']), ...groupCells(group)]);
}

function groupCells({ name, members, lag, lagMs, perSecond }: GroupStatus): string[] {
  return [name, String(members), String(lag), seconds(lagMs), rate(perSecond)];
}

function queueRow({ name, waiting, inHand, delayed, oldestMs, consumers, perSecond }: QueueStatus): string[] {
  const oldest = oldestMs === undefined ? '-' : seconds(oldestMs);
  return [name, String(waiting), String(inHand), String(delayed), oldest, String(consumers), rate(perSecond)];
}

function deadLetters({ deadLetters: dead }: Pick<Status, 'deadLetters'>): string {
  const some = dead.filter(({ count }) => count > 0);
  return some.length === 0 ? 'none' : some.map(({ name, count }) => `${name} ${count}`).join(', ');
}

/** Texts to the left, numbers to the right, each column as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (rows[0] ?? []).map((title) => /^[A-Z]/.test(title));
  return rows.map((row) =>
    row
      .map((cell, column) => (isText[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function rate(perSecond: number | undefined): string {
  return perSecond === undefined ? '-' : perSecond.toFixed(1);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
