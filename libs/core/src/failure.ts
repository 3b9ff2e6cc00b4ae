import { isNativeError } from 'node:util/types';
import { namesOf } from './json-properties.js';

/** An error as strings, small enough to be stored with a dead letter. */
export interface Failure {
  /** The error's class: `TypeError`. At most 200 characters. */
  readonly name: string;
  /** At most 1,000 characters. */
  readonly message: string;
  /** At most 4,000 characters. */
  readonly stack: string;
}

const maxNameCharacters = 200;
const maxMessageCharacters = 1000;
const maxStackCharacters = 4000;

// Anything can be thrown: undefined, a revoked proxy, an error whose message is an object or whose getter throws. These functions are
// called where nothing else catches, so none of them throws.

/** Describes anything that was thrown. The result is bounded: a stack that grows with every retry must not make a record too large. */
export function describeFailure(thrown: unknown): Failure {
  if (!isInstance(thrown, Error)) return { name: 'NonError', message: messageOf(thrown), stack: '' };
  return {
    name: textOf(thrown, 'name').slice(0, maxNameCharacters) || 'Error',
    message: messageOf(thrown),
    stack: textOf(thrown, 'stack').slice(0, maxStackCharacters),
  };
}

/**
 * The message of a thrown value, up to 1,000 characters. Of an object that is not an error it shows name, message, `code` and `status`,
 * as the rest may be a request with its credentials; without any of these it lists the names of its properties.
 */
export function messageOf(thrown: unknown): string {
  const message = isInstance(thrown, Error) ? textOf(thrown, 'message') : textFor(thrown);
  return message.slice(0, maxMessageCharacters);
}

/**
 * `value instanceof type`; false where that itself throws. An error of another realm is an `Error` too: in Jest, those that Node's own
 * modules throw are.
 */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type || (Object.is(type, Error) && isNativeError(value));
  } catch {
    return false;
  }
}

/** Returns a thrown error as it is; any other value becomes the cause of a new error that describes it. */
export function errorOf(thrown: unknown): Error {
  return isInstance(thrown, Error) ? thrown : new Error(messageOf(thrown), { cause: thrown });
}

/** The cause of an error; undefined where reading it throws. */
export function causeOf(error: unknown): unknown {
  if (!isInstance(error, Error)) return undefined;
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

/** A property of a thrown value; undefined where reading it throws. */
export function propertyOf(thrown: unknown, property: string | symbol): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    return Reflect.get(thrown, property);
  } catch {
    return undefined;
  }
}

/** A property of a thrown value, if it is a number or a string; a string is cut to `maxCharacters` (200). */
export function scalarOf(thrown: unknown, property: string, maxCharacters = 200): string | number | undefined {
  const value = propertyOf(thrown, property);
  if (typeof value === 'string') return value.slice(0, maxCharacters);
  return typeof value === 'number' ? value : undefined;
}

/** A property of an error as a string; the property may have any type. */
function textOf(error: Error, property: 'name' | 'message' | 'stack'): string {
  const text = propertyOf(error, property);
  return text === undefined || text === null ? '' : textFor(text);
}

function textFor(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) return objectText(value);
  try {
    return String(value);
  } catch {
    return `a value that cannot be shown (${typeof value})`;
  }
}

const shownProperties = ['name', 'message', 'code', 'status'] as const;

function objectText(object: object): string {
  const shown = shownProperties.map(
    (property) => [property, scalarOf(object, property, maxMessageCharacters)] as const,
  );
  const known = shown.filter(([, value]) => value !== undefined);
  if (known.length > 0) return JSON.stringify(Object.fromEntries(known));
  const names = namesOf(object).join(', ').slice(0, maxNameCharacters);
  return names === '' ? 'an object' : `an object with ${names}`;
}
