import { OptionsError } from './errors.js';
import { characterProblem, nameProblem, topicNameProblem } from './names.js';
import { neighbourOption } from './neighbour-options.js';
import { integerProblem, shown as show } from './numbers.js';

/** Receives a problem of an option. `unknown`: this version has no such option; a newer Millrace may have it. */
export type OptionReport = (problem: string, kind?: 'unknown') => void;

/** Reads one option: returns its value, or reports its problem. `undefined` stands for the default. */
export type OptionReader<T> = (value: unknown, report: OptionReport, path: string) => T;

/** One reader per option of `T`: the complete list of options with their defaults. */
export type OptionReaders<T> = { readonly [K in keyof T]-?: OptionReader<T[K]> };

/**
 * Checks `input` against `readers` and returns a frozen copy with defaults filled in; `input` is not changed. Unknown keys are refused
 * with a suggestion.
 *
 * @throws {OptionsError} with all problems
 */
export function resolveOptions<T extends object>(subject: string, readers: OptionReaders<T>, input: unknown): T {
  const problems: string[] = [];
  const resolved = readOptions(readers, input ?? {}, (problem) => problems.push(problem), '');
  if (problems.length > 0) throw new OptionsError(subject, problems);
  return resolved;
}

/** A nested object of options. */
export function object<T extends object>(readers: OptionReaders<T>): OptionReader<T> {
  return (value, report, path) => readOptions(readers, value === undefined ? {} : value, report, path);
}

/** A whole number between `min` and `max`. */
export function integer(defaultValue: number, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): OptionReader<number> {
  return (value, report, path) => {
    if (value === undefined) return defaultValue;
    const problem = integerProblem(path, value, { min, max });
    if (problem === undefined) return value as number;
    report(problem);
    return defaultValue;
  };
}

/** A whole number of ms of at least `min`, or `Infinity`: never. */
export function duration(defaultValue: number, { min = 0 } = {}): OptionReader<number> {
  const finite = integer(defaultValue, { min });
  return (value, report, path) =>
    value === Number.POSITIVE_INFINITY
      ? value
      : finite(value, (problem) => report(problem.replace(', got', ', or Infinity, got')), path);
}

/** `true` or `false`. */
export function boolean(defaultValue: boolean): OptionReader<boolean> {
  return (value, report, path) => {
    if (value === undefined) return defaultValue;
    if (typeof value === 'boolean') return value;
    report(`${path} must be true or false, got ${show(value)}`);
    return defaultValue;
  };
}

/** A string that is not empty. */
export function text(defaultValue: string): OptionReader<string> {
  return (value, report, path) => {
    if (value === undefined) return defaultValue;
    if (typeof value === 'string' && value !== '') return value;
    report(`${path} must be a string that is not empty, got ${show(value)}`);
    return defaultValue;
  };
}

/** A label for lists, log lines and metrics: a string without control characters. */
export function label(defaultValue: string): OptionReader<string> {
  return (value, report, path) => {
    const problem = typeof value === 'string' ? characterProblem(value) : undefined;
    if (problem !== undefined) report(`${path} ${show(value)} holds ${problem}`);
    return text(defaultValue)(value, report, path);
  };
}

/** One of a list of words. */
export function oneOf<const T extends string>(words: readonly T[], defaultValue: T): OptionReader<T> {
  return (value, report, path) => {
    if (value === undefined) return defaultValue;
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    report(`${path} must be one of ${words.join(', ')}, got ${show(value)}${didYouMean(value, words)}`);
    return defaultValue;
  };
}

/** A list of names of queues, topics or groups. */
export function nameList(kind: 'queue' | 'topic' | 'group'): OptionReader<readonly string[]> {
  const problemOf = (name: unknown) => (kind === 'topic' ? topicNameProblem(name) : nameProblem(kind, name));
  return (value, report, path) => {
    if (!Array.isArray(value)) {
      report(`${path} must be a list of ${kind} names, got ${show(value)}`);
      return [];
    }
    return value.filter((name: unknown, index) => {
      const problem = problemOf(name);
      if (problem !== undefined) report(`${path}[${index}]: ${problem}`);
      return problem === undefined;
    });
  };
}

/** An option that may be left out; it is `undefined` then, whatever the default of `reader`. */
export function optional<T>(reader: OptionReader<T>): OptionReader<T | undefined> {
  return (value, report, path) => (value === undefined ? undefined : reader(value, report, path));
}

/** An option that must be given. */
export function required<T>(reader: OptionReader<T>): OptionReader<T> {
  return (value, report, path) => {
    if (value === undefined) report(`${path} is missing`);
    return reader(value, report, path);
  };
}

/** A value that only code can give (a function, an object with methods): checked by `accepts`, described by `what`. */
export function custom<T>(defaultValue: T, what: string, accepts: (value: unknown) => value is T): OptionReader<T> {
  return (value, report, path) => {
    if (value === undefined) return defaultValue;
    if (accepts(value)) return value;
    report(`${path} must be ${what}, got ${show(value)}`);
    return defaultValue;
  };
}

/** An AbortSignal, which may be left out. */
export function abortSignal(): OptionReader<AbortSignal | undefined> {
  const isSignal = (value: unknown): value is AbortSignal => value instanceof AbortSignal;
  return optional(custom(new AbortController().signal, 'an AbortSignal', isSignal));
}

/** ` (did you mean "x"?)` when `word` is close to one of `known`, else nothing. */
export function didYouMean(word: unknown, known: readonly string[]): string {
  if (typeof word !== 'string') return '';
  let best: { distance: number; candidate: string } | undefined;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.max(2, candidate.length / 3) && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { distance, candidate };
    }
  }
  return best === undefined ? '' : ` (did you mean "${best.candidate}"?)`;
}

/** What to write instead of an unknown name, if that can be known: ` (did you mean "x"?)`, or `: write x`. */
export function instead(name: string, known: readonly string[]): string {
  return neighbourOption(name, known) || didYouMean(name, known);
}

/** Reads an object of options; reports `unknown` for each key that `readers` do not have. */
export function readOptions<T extends object>(
  readers: OptionReaders<T>,
  input: unknown,
  report: OptionReport,
  path: string,
): T {
  const known = Object.keys(readers) as (keyof T & string)[];
  const given = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : undefined;
  if (given === undefined) report(`${path === '' ? 'options' : path} must be an object, got ${show(input)}`);
  const source: Partial<Record<string, unknown>> = { ...given };
  for (const key of Object.keys(source)) {
    if (!Object.hasOwn(readers, key)) report(`unknown option ${join(path, key)}${instead(key, known)}`, 'unknown');
  }
  const resolved: Partial<T> = {};
  for (const key of known) {
    const value = readers[key](source[key], report, join(path, key));
    if (value !== undefined) resolved[key] = value;
  }
  return Object.freeze(resolved) as T;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
