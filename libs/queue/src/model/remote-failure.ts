import { describeFailure, type Failure, isInstance } from '@millrace/core';

/** An error on its way from a responder to the requester. */
export interface RemoteFailure extends Failure {
  /** The error's `code`, where it has one. */
  readonly code?: string | undefined;
  /** The error's own further properties, as far as JSON can hold them. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const maxDetailsCharacters = 16_000;

/** Describes anything a handler threw, so that the other side can tell it from others. Bounded. */
export function describeRemotely(error: unknown): RemoteFailure {
  const failure = describeFailure(error);
  if (!isInstance(error, Error)) return failure;
  const { name: _name, message: _message, stack: _stack, cause: _cause, code, ...details } = ownProperties(error);
  return {
    ...failure,
    ...(typeof code === 'string' ? { code } : {}),
    ...(isSmallJson(details) ? { details } : {}),
  };
}

/** Reads what a responder wrote; what cannot be read is a failure all the same. */
export function parseRemoteFailure(json: string): RemoteFailure {
  try {
    const { name, message, stack, code, details } = JSON.parse(json) as Partial<RemoteFailure>;
    return {
      name: textOr(name, 'Error'),
      message: textOr(message, ''),
      stack: textOr(stack, ''),
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof details === 'object' && details !== null ? { details } : {}),
    };
  } catch {
    return { name: 'Error', message: 'the responder failed, and its error cannot be read', stack: '' };
  }
}

/** A getter among them may throw. */
function ownProperties(error: Error): Record<string, unknown> {
  try {
    return { ...error };
  } catch {
    return {};
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isSmallJson(details: object): boolean {
  if (Object.keys(details).length === 0) return false;
  try {
    return JSON.stringify(details).length <= maxDetailsCharacters;
  } catch {
    return false;
  }
}
