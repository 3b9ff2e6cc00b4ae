/** An error in plain words, small enough to be kept with a dead letter. */
export interface Failure {
  /** The error's class: `TypeError`. */
  readonly name: string;
  /** At most 1,000 characters. */
  readonly message: string;
  /** At most 4,000 characters. */
  readonly stack: string;
}

const maxMessageCharacters = 1000;
const maxStackCharacters = 4000;

// JavaScript throws anything: undefined, a revoked proxy, an error whose message is an object or whose getter throws. What
// describes it is called where nothing else catches, so each function here returns for every value.

/** Describes anything that was thrown. Bounded: a stack that grows with every retry must never make a record too large. */
export function describeFailure(thrown: unknown): Failure {
  if (!isInstance(thrown, Error)) return { name: 'NonError', message: messageOf(thrown), stack: '' };
  return {
    name: textOf(thrown, 'name') || 'Error',
    message: messageOf(thrown),
    stack: textOf(thrown, 'stack').slice(0, maxStackCharacters),
  };
}

/** What anything that was thrown says, in at most 1,000 characters. */
export function messageOf(thrown: unknown): string {
  const message = isInstance(thrown, Error) ? textOf(thrown, 'message') : textFor(thrown);
  return message.slice(0, maxMessageCharacters);
}

/** `value instanceof type`; false where that itself throws. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** What was thrown, if it is an error; else an error that says it, with it as its cause. */
export function errorOf(thrown: unknown): Error {
  return isInstance(thrown, Error) ? thrown : new Error(messageOf(thrown), { cause: thrown });
}

/** What an error was caused by; undefined where that cannot be read. */
export function causeOf(error: unknown): unknown {
  if (!isInstance(error, Error)) return undefined;
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

/** A property of an error as a string: it may be anything at all. */
function textOf(error: Error, property: 'name' | 'message' | 'stack'): string {
  try {
    const text: unknown = error[property];
    return text === undefined || text === null ? '' : textFor(text);
  } catch {
    return '';
  }
}

function textFor(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return stringOf(value);
  }
}

function stringOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `a value that cannot be shown (${typeof value})`;
  }
}
