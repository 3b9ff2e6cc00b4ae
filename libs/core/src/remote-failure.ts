import { describeFailure, isInstance, propertyOf, scalarOf } from './failure.js';
import { jsonProperties } from './json-properties.js';

/**
 * What an error says to its requester beside name, message, `code` and `status`: an object, in a property of the error under
 * this symbol. Nothing else of an error leaves its process, since an HTTP client's error carries its request with the
 * authorization header, and a Redis client's the arguments of its command.
 */
export const remoteDetails: unique symbol = Symbol.for('millrace.remoteDetails');

/** An error on its way from a responder to the requester: no property of it but these. */
export interface RemoteFailure {
  /** The error's class: `TypeError`. At most 200 characters. */
  readonly name: string;
  /** At most 1,000 characters. */
  readonly message: string;
  /** The error's `code`, where it has one: a number, or at most 200 characters. */
  readonly code?: string | number | undefined;
  /** The error's `status`, where it has one: a number, or at most 200 characters. */
  readonly status?: string | number | undefined;
  /** What the error has under `remoteDetails`: each property that JSON can hold, at most 16,000 characters in all. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const maxDetailsCharacters = 16_000;

/** Describes anything that a handler threw, for its requester. Bounded. */
export function describeRemotely(thrown: unknown): RemoteFailure {
  const marked = propertyOf(thrown, remoteDetails);
  const details = typeof marked === 'object' && marked !== null ? sendableProperties(marked) : {};
  return { ...withoutDetails(thrown), ...(Object.keys(details).length > 0 ? { details } : {}) };
}

/**
 * An object that an application sends as it is: each property that JSON can hold, at most 16,000 characters in all. Of an
 * error in it, name, message, `code` and `status` are left.
 */
export function sendableProperties(object: object): Record<string, unknown> {
  const replace = (value: unknown): unknown => (isInstance(value, Error) ? withoutDetails(value) : value);
  return jsonProperties(object, { maxCharacters: maxDetailsCharacters, replace });
}

function withoutDetails(thrown: unknown): RemoteFailure {
  const { name, message } = describeFailure(thrown);
  const [code, status] = [scalarOf(thrown, 'code'), scalarOf(thrown, 'status')];
  return { name, message, ...(code === undefined ? {} : { code }), ...(status === undefined ? {} : { status }) };
}
