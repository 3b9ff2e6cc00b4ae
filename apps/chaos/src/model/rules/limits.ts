import type { Evidence } from '../evidence.js';

/** Moments at which a queue or a consumer held more than it may. */
export function findExceededLimits({ queueSamples, limits }: Evidence): string[] {
  return queueSamples.flatMap(({ queue, ready, unacked }) => {
    const { [queue]: maxReady = Number.POSITIVE_INFINITY } = limits.ready;
    const { [queue]: prefetch = Number.POSITIVE_INFINITY } = limits.prefetch;
    const problems = Object.entries(unacked)
      .filter(([, count]) => count > prefetch)
      .map(
        ([consumer, count]) => `consumer ${consumer} of queue ${queue} held ${count} messages, prefetch is ${prefetch}`,
      );
    if (ready > maxReady) problems.push(`queue ${queue} had ${ready} messages ready, at most ${maxReady} are allowed`);
    return problems;
  });
}

/** Moments at which a queue held other messages than its states account for. */
export function findCountMismatches({ queueSamples }: Evidence): string[] {
  return queueSamples.flatMap(({ queue, messages, ready, delayed, unacked, parked, dying }) => {
    const held = Object.values(unacked).reduce((sum, count) => sum + count, 0);
    const sum = ready + delayed + held + parked + dying;
    if (sum === messages) return [];
    return [
      `queue ${queue} held ${messages} messages, but its states have ${sum}: ${ready} ready, ${delayed} delayed, ` +
        `${held} unacked, ${parked} parked, ${dying} dying`,
    ];
  });
}
