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
 * The reply stream of this process was deleted or spoiled, and the reply may have been lost with it; a new one was made. The request
 * was cancelled; its handler may have run all the same.
 */
export class ReplyStreamLostError extends ServiceError {
  constructor(subject: string) {
    super(
      `${subject}: the reply stream of this process was lost, and its reply perhaps with it. A new stream was made: send the request ` +
        'again, if it may be handled twice. See whether something deletes or evicts keys of Millrace.',
    );
  }

  /** 504 Gateway Timeout. */
  override get statusCode(): number {
    return 504;
  }
}

/**
 * Another handler has begun to answer a request with a stream, before the first one ended its own: a stream has one author. The request
 * was cancelled; send it again.
 */
export class StreamTakenError extends MillraceError {
  constructor(subject: string) {
    super(
      `${subject}: a second handler has begun to answer it with a stream before the first one ended. Send the request again.`,
    );
  }
}
