import { maxMessages } from './call-size.js';

/**
 * Most calls of a pipeline under way simultaneously. Two keep the server busy while the next is built; a third would only be smaller. Full
 * calls may be four, for a distant server.
 */
export const maxCalls = 4;
const maxSmallCalls = 2;
/** Fewer messages are not worth a call of their own. */
const minEarlyMessages = 8;

/** What a pipeline has under way, and had: decides whether the next call is sent now. */
export class CallFlow {
  #calls = 0;
  #messages = 0;
  /** Most messages under way since nothing was. */
  #most = 0;
  #earlyMessages = maxMessages;

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#calls === 0;
  }

  /**
   * This many messages do not wait for the tick to end: a full call, or, while nothing is under way, half of as many as the last burst had,
   * so that the server works on them while the process builds the other half.
   */
  get earlyMessages(): number {
    return this.#calls === 0 ? this.#earlyMessages : maxMessages;
  }

  /** Whether a call may be sent while this many messages wait. */
  mayCall(waiting: number): boolean {
    return waiting > 0 && this.#calls < (waiting < maxMessages ? maxSmallCalls : maxCalls);
  }

  began(messages: number): void {
    this.#calls++;
    this.#messages += messages;
    this.#most = Math.max(this.#most, this.#messages);
  }

  ended(messages: number): void {
    this.#calls--;
    this.#messages -= messages;
    if (this.#calls > 0) return;
    const half = this.#most / 2;
    this.#earlyMessages = half < minEarlyMessages ? maxMessages : Math.min(half, maxMessages);
    this.#most = 0;
  }
}
