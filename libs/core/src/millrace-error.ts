import { brand } from './brand.js';

/**
 * Every error Millrace throws. A message says what is wrong, in which object, and what to do now. `code` is derived from the class name
 * (`TopicNotFoundError` → `TOPIC_NOT_FOUND`).
 */
export abstract class MillraceError extends Error {
  /** For programs: `TOPIC_NOT_FOUND`. It stays the same when the wording of a message changes. */
  readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = codeOf(new.target.name);
  }
}

/**
 * An error to which web frameworks respond with its own status: it has the shape of the package `http-errors`, which Nest, Express and
 * Fastify recognise. Its message may name hosts, so it belongs in the log, not in the response.
 */
export abstract class ServiceError extends MillraceError {
  /** 503 Service Unavailable, unless a class overrides it. */
  get statusCode(): number {
    return 503;
  }

  /** The same as `statusCode`. */
  get status(): number {
    return this.statusCode;
  }

  /** Whether the message may be part of an HTTP response: always false. */
  get expose(): boolean {
    return false;
  }
}

brand({ MillraceError, ServiceError });

function codeOf(className: string): string {
  return className
    .replace(/Error$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
}
