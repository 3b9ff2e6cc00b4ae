import type { ConsumerPlan } from './consumer-plan.js';
import type { Millrace } from './millrace.js';

/** Topics by name, or all whose names match. */
export type Topics = RegExp | readonly string[];

/** What both would consume, so that each gets only a part of it, in words; undefined when there is nothing. */
export function overlapOf(a: ConsumerPlan, b: ConsumerPlan): string | undefined {
  if (a.millrace !== b.millrace) return undefined;
  if (a.queue !== undefined) return a.queue === b.queue ? a.source : undefined;
  if (a.group !== b.group || a.topics === undefined || b.topics === undefined) return undefined;
  const topics = commonTopics(a.topics, b.topics);
  return topics === undefined ? undefined : `${topics} in group "${a.group}"`;
}

/** The topics that both take, in words; undefined when there are none. */
export function commonTopics(a: Topics, b: Topics): string | undefined {
  if (a instanceof RegExp && b instanceof RegExp) {
    return areApart(a, b) ? undefined : `what both ${a} and ${b} match`;
  }
  if (a instanceof RegExp) return commonTopics(b, a);
  const common = a.find((topic) => (b instanceof RegExp ? takes(b, topic) : b.includes(topic)));
  return common === undefined ? undefined : `topic "${common}"`;
}

/** A pattern takes no dead letters that it does not ask for. */
function takes({ source, flags }: RegExp, topic: string): boolean {
  const isAskedFor = !topic.endsWith('.dead-letters') || source.includes('dead-letters');
  return isAskedFor && new RegExp(source, flags.replace(/[gy]/g, '')).test(topic);
}

/** Whether two patterns begin with different words: of others, nobody can tell whether one name matches both. */
function areApart(a: RegExp, b: RegExp): boolean {
  const [first, second] = [literalStart(a), literalStart(b)];
  return !first.startsWith(second) && !second.startsWith(first);
}

/** What every name begins with that a pattern matches; `''` when that cannot be told. */
function literalStart({ source, flags }: RegExp): string {
  if (/[im]/.test(flags) || source.includes('|')) return '';
  const [, literal = '', next = ''] = /^\^((?:[\w@~/-]|\\[./+-])*)(.?)/.exec(source) ?? [];
  // `*`, `?` and `{0}` make the character before them optional.
  const certain = /[*?{]/.test(next) ? literal.replace(/\\?.$/, '') : literal;
  return certain.replaceAll('\\', '');
}

const consumed = new WeakMap<Millrace, Set<ConsumerPlan>>();

/** The plan that consumes already what this one would. */
export function rivalOf(plan: ConsumerPlan): { readonly label: string; readonly overlap: string } | undefined {
  for (const other of consumed.get(plan.millrace) ?? []) {
    const overlap = other === plan ? undefined : overlapOf(other, plan);
    if (overlap !== undefined) return { label: other.label, overlap };
  }
  return undefined;
}

/** From now on it is a rival of plans that would consume the same. */
export function claimSource(plan: ConsumerPlan): void {
  consumed.set(plan.millrace, (consumed.get(plan.millrace) ?? new Set()).add(plan));
}

/** It is none any more. */
export function releaseSource(plan: ConsumerPlan): void {
  consumed.get(plan.millrace)?.delete(plan);
}
