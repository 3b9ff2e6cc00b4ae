import { describeFailure, isInstance, propertyOf, scalarOf } from './failure.js';
import { jsonProperties } from './json-properties.js';

/**
 * The symbol under which an error has the details for its requester, an object that is sent beside name, message, `code` and `status`.
 * Nothing else of an error leaves its process, since the error of an HTTP client carries its request with the authorization header, and
 * that of a Redis client the arguments of its command.
 */
export const remoteDetails: unique symbol = Symbol.for('millrace.remoteDetails');

/** An error on its way from a responder to the requester: these properties and no others. */
export interface RemoteFailure {
  /** The error's class: `TypeError`. At most 200 characters. */
  readonly name: string;
  /** At most 1,000 characters. */
  readonly message: string;
  /** The error's `code`, if it has one: a number, or at most 200 characters. */
  readonly code?: string | number | undefined;
  /** The error's `status`, if it has one: a number, or at most 200 characters. */
  readonly status?: string | number | undefined;
  /** The error's `remoteDetails`: each property that JSON can hold, at most 16,000 characters in total. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const maxDetailsCharacters = 16_000;

/** Describes what a handler threw, of any type, for its requester. The result is bounded. */
export function describeRemotely(thrown: unknown): RemoteFailure {
  const marked = propertyOf(thrown, remoteDetails);
  const details = typeof marked === 'object' && marked !== null ? sendableProperties(marked) : {};
  return { ...withoutDetails(thrown), ...(Object.keys(details).length > 0 ? { details } : {}) };
}

/**
 * An object that an application sends as it is: each property that JSON can hold, at most 16,000 characters in total. An error in it
 * keeps name, message, `code` and `status`.
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
