import { decodeFrame, isOfNewerVersion, type StoredMessage } from '../model/message-frame.js';
import type { RunnerUser } from './consumer-runner.js';
import type { HeldMessage } from './held-message.js';

/** How long a message that only a newer process can read waits until it is handed out again. */
const newerDelayMs = 1000;

/** Reads the frames of messages that a consumer holds. */
export class FrameReader {
  readonly #queue: string;
  readonly #user: Pick<RunnerUser, 'labels' | 'settle' | 'failed'>;
  /** Whether messages that only a newer process can read were reported. */
  #isReported = false;

  constructor(queue: string, user: Pick<RunnerUser, 'labels' | 'settle' | 'failed'>) {
    this.#queue = queue;
    this.#user = user;
  }

  /**
   * Undefined when it is no message: then it is given up. One of a newer version goes back without an attempt, since during an
   * upgrade other processes can read it, and soon this one.
   */
  read(held: HeldMessage): StoredMessage | undefined {
    try {
      held.message = decodeFrame(held.frame, this.#queue);
      return held.message;
    } catch (error) {
      if (isOfNewerVersion(held.frame)) this.#leaveToNewer(held, error);
      else this.#user.settle(held, { kind: 'dead-letter', reason: 'undecodable', error }, this.#user.labels);
      return undefined;
    }
  }

  #leaveToNewer(held: HeldMessage, error: unknown): void {
    this.#user.settle(held, { kind: 'retry', delayMs: newerDelayMs, countsAsAttempt: false, error }, this.#user.labels);
    if (!this.#isReported) this.#user.failed(error);
    this.#isReported = true;
  }
}
