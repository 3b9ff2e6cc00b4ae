import { brand, MillraceError, type RemoteFailure, ServiceError } from '@millrace/core';

/**
 * The handler of a request failed, in another process. Carries the error's name, message, code, status and marked details; the
 * stack and everything else stay in the responder's log.
 */
export class RemoteError extends MillraceError {
  /** The name of the error that the handler threw: `InsufficientFundsError`, say. */
  readonly remoteName: string;
  /** Its `code`, if it had one. */
  readonly remoteCode: string | number | undefined;
  /** Its `status`, if it had one: 404, say. */
  readonly remoteStatus: string | number | undefined;
  /** What the error had under `remoteDetails`; empty if there was nothing. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(failure: RemoteFailure) {
    super(`${failure.name}: ${failure.message}`);
    this.remoteName = failure.name;
    this.remoteCode = failure.code;
    this.remoteStatus = failure.status;
    this.details = failure.details ?? {};
  }
}

/** No reply came in time. The request was cancelled; its handler may have run nevertheless. */
export class RequestTimeoutError extends ServiceError {
  constructor(
    subject: string,
    /** The timeout, in ms. */
    readonly timeoutMs: number,
  ) {
    super(`${subject}: no reply within ${timeoutMs} ms. Raise timeoutMs, or check that its queue has a consumer.`);
  }

  /** 504 Gateway Timeout. */
  override get statusCode(): number {
    return 504;
  }
}

/**
 * The reply stream of this process was deleted or spoiled, and the reply may be lost with it; a new one was created. The request
 * was cancelled; its handler may have run nevertheless.
 */
export class ReplyStreamLostError extends ServiceError {
  constructor(subject: string) {
    super(
      `${subject}: the reply stream of this process was lost, and its reply may be lost. A new stream was created: send the request ` +
        'again, if it may be handled twice. Check whether another program deletes keys of Millrace, or Redis evicts them.',
    );
  }

  /** 504 Gateway Timeout. */
  override get statusCode(): number {
    return 504;
  }
}

/**
 * Another handler has begun to reply to a request with a stream, before the first one ended its own: a stream has one author. The request
 * was cancelled; send it again.
 */
export class StreamTakenError extends MillraceError {
  constructor(subject: string) {
    super(
      `${subject}: a second handler has begun to reply with a stream before the first one ended. Send the request again.`,
    );
  }
}

brand({ RemoteError, RequestTimeoutError, ReplyStreamLostError, StreamTakenError });
