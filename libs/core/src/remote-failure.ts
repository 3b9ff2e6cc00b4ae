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
  const [given, marked] = [givenToRpcException(thrown), markedIn(thrown)];
  if (given === undefined) return withDetails(withoutDetails(thrown), marked);
  if (isInstance(given, Error)) return withDetails(withoutDetails(given), marked ?? markedIn(given));
  // An application gives it what the requester is to get: all of it.
  const { name, message } = describeFailure(thrown);
  return withDetails({ name, message, ...scalarsOf(given) }, marked ?? markedIn(given) ?? given);
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
  return { name, message, ...scalarsOf(thrown) };
}

function scalarsOf(thrown: unknown): Pick<RemoteFailure, 'code' | 'status'> {
  const [code, status] = [scalarOf(thrown, 'code'), scalarOf(thrown, 'status')];
  return { ...(code === undefined ? {} : { code }), ...(status === undefined ? {} : { status }) };
}

function withDetails(failure: RemoteFailure, object: object | undefined): RemoteFailure {
  const details = object === undefined ? {} : sendableProperties(object);
  return { ...failure, ...(Object.keys(details).length > 0 ? { details } : {}) };
}

function markedIn(thrown: unknown): object | undefined {
  const marked = propertyOf(thrown, remoteDetails);
  return typeof marked === 'object' && marked !== null ? marked : undefined;
}

/**
 * The object or error that Nest's `RpcException` was given; undefined for a string, and for anything else that was thrown. It is known by
 * the name of its class: an application need not have the package that it is from.
 */
function givenToRpcException(thrown: unknown): object | undefined {
  if (!isInstance(thrown, Error)) return undefined;
  try {
    let type: unknown = thrown.constructor;
    while (typeof type === 'function' && type.name !== 'RpcException') type = Object.getPrototypeOf(type);
    const getError = typeof type === 'function' ? propertyOf(thrown, 'getError') : undefined;
    const given: unknown = typeof getError === 'function' ? Reflect.apply(getError, thrown, []) : undefined;
    return typeof given === 'object' && given !== null ? given : undefined;
  } catch {
    return undefined;
  }
}
