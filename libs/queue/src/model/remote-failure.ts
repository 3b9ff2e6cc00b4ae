import { describeFailure, type Failure, isInstance, jsonProperties } from '@millrace/core';

/** An error on its way from a responder to the requester. */
export interface RemoteFailure extends Failure {
  /** The error's `code`, where it has one. */
  readonly code?: string | number | undefined;
  /** The error's own further properties: each that JSON can hold. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const maxDetailsCharacters = 16_000;

/** What has its place outside the details. */
const described = ['name', 'message', 'stack', 'cause'];

/** Describes anything a handler threw, so that the other side can tell it from others. Bounded. */
export function describeRemotely(error: unknown): RemoteFailure {
  const failure = describeFailure(error);
  if (!isInstance(error, Error)) return failure;
  const { code, ...details } = jsonProperties(error, { maxCharacters: maxDetailsCharacters, skip: described });
  return {
    ...failure,
    ...(isCode(code) ? { code } : {}),
    ...(Object.keys(details).length > 0 ? { details } : {}),
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
      ...(isCode(code) ? { code } : {}),
      ...(typeof details === 'object' && details !== null ? { details } : {}),
    };
  } catch {
    return { name: 'Error', message: 'the responder failed, and its error cannot be read', stack: '' };
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' || typeof code === 'number';
}
