import type { HeldMessage } from './held-message.js';

/** What a hold needs of its consumer. */
export interface BufferContext {
  /** There may be room for more. */
  askForMore(): void;
  /** Whether Redis has nothing down as this consumer's that it does not hold, and is asked for nothing. */
  isQuiet(): boolean;
  /** Gives messages back that did not run, in their order. */
  giveBack(messages: readonly HeldMessage[]): void;
}
