import type { QueuedMessage, UnreadableMessage } from './queued-message.js';

/** One page of messages, and where the next one begins. */
export interface MessagePage<T = unknown> {
  /** `at`: when a delayed one is due, in ms since 1970. */
  readonly messages: readonly (QueuedMessage<T> & { readonly at?: number | undefined })[];
  /** Those of the page whose frames cannot be read. */
  readonly unreadable: readonly UnreadableMessage[];
  /** Undefined after the last page. */
  readonly cursor: string | undefined;
}

/** Which messages of a list to return. */
export interface PageOptions {
  /** Most messages per page. Default 100. */
  readonly limit?: number;
  /** The cursor of the previous page. Default: the beginning of the list. */
  readonly cursor?: string | undefined;
}
