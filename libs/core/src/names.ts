import { OptionsError } from './errors.js';

/** Longest name of a topic, group, exchange or queue, and longest routing key, in UTF-8 bytes (AMQP's shortstr). */
export const maxNameBytes = 255;

const deadLettersSuffix = '.dead-letters';

/**
 * Why `name` cannot name a `kind` of object, or undefined when it can.
 *
 * Every string of 1 to 255 bytes of UTF-8 is a name, as in AMQP, unless it holds a control character (Unicode's category Cc, so line
 * breaks, tabs and NUL too: names appear in log lines and in lists of scripts) or half a surrogate pair, which has no UTF-8. Names are
 * compared by their bytes: nothing is trimmed, folded or normalised, so that `é` as one character and as `e` with an accent are two
 * names. U+FEFF and other invisible characters are allowed like any other.
 */
export function nameProblem(kind: string, name: unknown): string | undefined {
  if (typeof name !== 'string') return `${kind} name must be a string, got ${describe(name)}`;
  if (name === '') return `${kind} name is empty`;
  const bytes = Buffer.byteLength(name);
  if (bytes > maxNameBytes) {
    const start = JSON.stringify(name.slice(0, 40)).slice(0, -1);
    return `${kind} name ${start}…" is longer than ${maxNameBytes} bytes: it has ${bytes}`;
  }
  const problem = characterProblem(name);
  return problem === undefined ? undefined : `${kind} name ${JSON.stringify(name)} holds ${problem}`;
}

/**
 * Why `name` cannot name a topic, or a new group or member. As in Kafka, `.` and `..` are refused, since tools that write files per topic
 * would take them for folders.
 */
export function topicNameProblem(name: unknown, kind = 'topic'): string | undefined {
  if (name === '.' || name === '..') return `${kind} name "${name}" is reserved for folders, as in Kafka`;
  return nameProblem(kind, name);
}

/** The character that a name or label must not hold, described: a control character, or half a surrogate pair. */
export function characterProblem(text: string): string | undefined {
  const [found] = /[\p{Cc}\p{Surrogate}]/u.exec(text) ?? [];
  if (found === undefined) return undefined;
  return found < '\ud800'
    ? `the control character U+${hex(found, 4)}: leave it out`
    : 'half a surrogate pair, which UTF-8 cannot encode';
}

/**
 * A name as it is written in Redis keys. ASCII letters, digits, `.`, `_`, `-`, `/`, `@`, `~`, `+` and everything beyond ASCII stay; each
 * other character of ASCII becomes `%` and its two hexadecimal digits in upper case: `queued weather` is `queued%20weather`.
 *
 * So no character of it separates the parts of a key (`:`), moves a hash tag (`{` `}`), is a wildcard in a pattern of `SCAN`, `KEYS` or
 * an ACL (`*` `?` `[` `]` `\`), or ends a word of an ACL file, a shell or `redis-cli` (spaces, quotes). `%` itself is escaped: no two
 * names share a key. {@link unescapeName} reverses it.
 */
export function escapeName(name: string): string {
  return name.replace(meaningful, (character) => `%${hex(character, 2)}`);
}

/** The name for which `escapeName` returns `escaped`; undefined when there is none. */
export function unescapeName(escaped: string): string | undefined {
  const name = escaped.replace(/%([0-7][0-9A-F])/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return escapeName(name) === escaped ? name : undefined;
}

const meaningful = /[^A-Za-z0-9._\-/@~+\u0080-\uffff]/g;

/** The default name of the topic or queue that keeps the dead letters of another. */
export function deadLettersOf(name: string): string {
  return `${name}${deadLettersSuffix}`;
}

/** Whether a name is the default name of a place for dead letters. */
export function keepsDeadLetters(name: string): boolean {
  return name.endsWith(deadLettersSuffix);
}

/** The name of the topic or queue whose dead letters it keeps; only for names that pass `keepsDeadLetters`. */
export function sourceOfDeadLetters(name: string): string {
  return name.slice(0, -deadLettersSuffix.length);
}

/** Throws an OptionsError unless `name` may name a `kind` of object. */
export function assertName(kind: string, name: unknown): asserts name is string {
  const problem = nameProblem(kind, name);
  if (problem !== undefined) throw new OptionsError(kind, [problem]);
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(digits, '0');
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
