import { brand, MillraceError } from '@millrace/core';

/** Why a handler's signal was aborted: its message was cancelled, and is gone. */
export class MessageCancelledError extends MillraceError {
  constructor(queue: string, id: string) {
    super(`message ${id} of queue "${queue}" was cancelled. Stop working on it.`);
  }
}

brand({ MessageCancelledError });
