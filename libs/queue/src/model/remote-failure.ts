import type { RemoteFailure } from '@millrace/core';

/** Parses a responder's failure; unreadable data still counts as a failure. */
export function parseRemoteFailure(json: string): RemoteFailure {
  try {
    const { name, message, code, status, details } = JSON.parse(json) as Partial<RemoteFailure>;
    return {
      name: textOr(name, 'Error'),
      message: textOr(message, ''),
      ...(isCode(code) ? { code } : {}),
      ...(isCode(status) ? { status } : {}),
      ...(typeof details === 'object' && details !== null ? { details } : {}),
    };
  } catch {
    return { name: 'Error', message: 'the responder failed, and its error cannot be read' };
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isCode(code: unknown): code is string | number {
  return typeof code === 'string' || typeof code === 'number';
}
