import { keepsDeadLetters } from '@millrace/core';
import { subscribeTo, topicsTaken } from '@millrace/log';
import type { ConsumerPlan } from './consumer-plan.js';

/** Topics by name, or all whose names match. */
export type Topics = RegExp | readonly string[];

/** Describes the sources that both would consume, so that each gets only a part; undefined when there are none. */
export function overlapOf(a: ConsumerPlan, b: ConsumerPlan): string | undefined {
  if (a.millrace !== b.millrace) return undefined;
  if (a.queue !== undefined) return a.queue === b.queue ? a.source : undefined;
  if (a.group !== b.group || a.topics === undefined || b.topics === undefined) return undefined;
  const topics = commonTopics(a.topics, b.topics);
  return topics === undefined ? undefined : `${topics} in group "${a.group}"`;
}

/** Describes the topics that both take; undefined when there are none. */
export function commonTopics(a: Topics, b: Topics): string | undefined {
  if (a instanceof RegExp && b instanceof RegExp) {
    return areApart(a, b) ? undefined : `topics that both ${a} and ${b} match`;
  }
  if (a instanceof RegExp) return commonTopics(b, a);
  const common = a.find((topic) => (b instanceof RegExp ? takes(b, topic) : b.includes(topic)));
  return common === undefined ? undefined : `topic "${common}"`;
}

function takes(pattern: RegExp, topic: string): boolean {
  const deadLetterTopics = new Set(keepsDeadLetters(topic) ? [topic] : []);
  return topicsTaken(subscribeTo(pattern), [topic], deadLetterTopics).length > 0;
}

/** Whether two patterns begin with different literals. For others it is unknown whether one name matches both. */
function areApart(a: RegExp, b: RegExp): boolean {
  const [first, second] = [literalStart(a), literalStart(b)];
  return !first.startsWith(second) && !second.startsWith(first);
}

/** The prefix of every name that a pattern matches; `''` where it is unknown. */
function literalStart({ source, flags }: RegExp): string {
  if (/[im]/.test(flags) || source.includes('|')) return '';
  const [, literal = '', next = ''] = /^\^((?:[^\\^$.*+?()[\]{}|]|\\[^\w\s])*)(.?)/su.exec(source) ?? [];
  // `*`, `?` and `{0}` make the character before them optional.
  const certain = /[*?{]/.test(next) ? literal.replace(/\\?.$/su, '') : literal;
  return certain.replace(/\\(.)/gsu, '$1');
}
