import { MillraceError, ServiceError } from '@millrace/core';
import type { RemoteFailure } from '../model/remote-failure.js';

/** The handler of a request failed, in another process. Its error's name, code and details are here; its stack is the remote one. */
export class RemoteError extends MillraceError {
  /** The name of the error that the handler threw: `InsufficientFundsError`, say. */
  readonly remoteName: string;
  /** Its `code`, where it had one. */
  readonly remoteCode: string | number | undefined;
  /** What else the error carried. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Its stack, in the process that handled the request. */
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
export class RequestTimeoutError extends ServiceError {
  constructor(
    subject: string,
    /** How long was waited, in ms. */
    readonly timeoutMs: number,
  ) {
    super(
      `${subject}: no reply within ${timeoutMs} ms. Raise timeoutMs, or see whether anybody consumes from its queue.`,
    );
  }

  /** 504 Gateway Timeout. */
  override get statusCode(): number {
    return 504;
  }
}

/**
 * Another handler has begun to answer a request with a stream, before this one: a stream has one author. Items of this one are
 * not sent; its requester gets a `RemoteError` with this as `remoteName`, and asks again.
 */
export class StreamTakenError extends MillraceError {
  constructor(correlationId: string) {
    super(
      `request ${correlationId}: another handler has begun to answer it with a stream and did not end it. Send the request again.`,
    );
  }
}
