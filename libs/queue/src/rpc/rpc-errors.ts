import { MillraceError, type RemoteFailure, ServiceError } from '@millrace/core';

/**
 * The handler of a request failed, in another process. Of its error, name, message, code, status and marked details are here; its
 * stack and whatever else it carries stay in the responder's log.
 */
export class RemoteError extends MillraceError {
  /** The name of the error that the handler threw: `InsufficientFundsError`, say. */
  readonly remoteName: string;
  /** Its `code`, where it had one. */
  readonly remoteCode: string | number | undefined;
  /** Its `status`, where it had one: 404, say. */
  readonly remoteStatus: string | number | undefined;
  /** What the error had under `remoteDetails`; empty when it had nothing there. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(failure: RemoteFailure) {
    super(`${failure.name}: ${failure.message}`);
    this.remoteName = failure.name;
    this.remoteCode = failure.code;
    this.remoteStatus = failure.status;
    this.details = failure.details ?? {};
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
