import { MillraceError } from '@millrace/core';
import type { RemoteFailure } from '../model/remote-failure.js';

/** The handler of a request failed, in another process. Its error's name, code and details are here; its stack is the remote one. */
export class RemoteError extends MillraceError {
  /** The name of the error that the handler threw: `InsufficientFundsError`, say. */
  readonly remoteName: string;
  readonly remoteCode: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly remoteStack: string;

  constructor(failure: RemoteFailure) {
    super(`${failure.name}: ${failure.message}`);
    this.remoteName = failure.name;
    this.remoteCode = failure.code;
    this.details = failure.details ?? {};
    this.remoteStack = failure.stack;
  }
}

/** No reply came in time. The request was cancelled; its handler may have run all the same. */
export class RequestTimeoutError extends MillraceError {
  constructor(
    subject: string,
    readonly timeoutMs: number,
  ) {
    super(
      `${subject}: no reply within ${timeoutMs} ms. Raise timeoutMs, or see whether anybody consumes from its queue.`,
    );
  }
}
