import { startTimer, stopTimer, type Timer } from '@millrace/core';
import { InFlight } from '@millrace/delivery';
import type { HandlingOptions } from './handling-options.js';
import type { HeldMessage } from './held-message.js';
import type { MessageBuffer } from './message-buffer.js';
import type { MessageRunner, RunnerListener } from './message-runner.js';

/** What a dispatcher needs to know of its consumer. */
export interface DispatcherContext {
  /** Whether Redis holds nothing for this consumer beyond what it holds itself, and no turn asks for more. */
  isQuiet(): boolean;
  /** Gives back messages that did not run, in order. */
  giveBack(messages: readonly HeldMessage[]): void;
}

/**
 * Starts handlers for the messages of a buffer: as many as may run simultaneously, in the order in which they came; a message in
 * quarantine alone; batches when they are full, or their first message has waited long enough.
 */
export class Dispatcher implements RunnerListener {
  readonly #options: Pick<HandlingOptions, 'concurrency' | 'batchHandler' | 'batch'>;
  readonly #buffer: MessageBuffer;
  readonly #runner: Pick<MessageRunner, 'start' | 'begun'>;
  readonly #context: DispatcherContext;
  readonly #units = new InFlight();
  #isStarting = false;
  #isEnded = false;
  #batchTimer: Timer | undefined;

  /** @param runnerFor returns what runs messages, given a listener that is called when each unit has ended */
  constructor(
    options: Pick<HandlingOptions, 'concurrency' | 'batchHandler' | 'batch'>,
    buffer: MessageBuffer,
    runnerFor: (listener: RunnerListener) => Pick<MessageRunner, 'start' | 'begun'>,
    context: DispatcherContext,
  ) {
    this.#options = options;
    this.#buffer = buffer;
    this.#runner = runnerFor(this);
    this.#context = context;
  }

  /** How many messages, or batches, are being handled. */
  get running(): number {
    return this.#units.count;
  }

  /** Starts as many waiting messages as may run. */
  begin(): void {
    // A handler that ends synchronously calls this again while the loop below still runs.
    if (this.#isStarting) return;
    this.#isStarting = true;
    const { waiting, quarantine } = this.#buffer;
    const { concurrency, batchHandler } = this.#options;
    while (!this.#isEnded && this.#units.count < concurrency && !quarantine.isOn) {
      const unit = batchHandler === undefined ? waiting.take(1) : this.#nextBatch();
      if (unit.length === 0) break;
      this.#start(unit);
    }
    if (!this.#isEnded && quarantine.isOn) this.#beginAlone();
    this.#isStarting = false;
    this.#runner.begun();
  }

  unitEnded(messages: number, tookMs: number): void {
    this.#buffer.budget.handled(tookMs / messages);
    this.#units.end();
    this.begin();
  }

  /** Resolves to true when nothing runs, to false when the deadline came first. */
  drained(deadlineMs: number): Promise<boolean> {
    return this.#units.drained(deadlineMs);
  }

  /** Starts nothing more. */
  end(): void {
    this.#isEnded = true;
    stopTimer(this.#batchTimer);
  }

  #start(unit: readonly HeldMessage[]): void {
    this.#units.begin();
    this.#runner.start(unit);
  }

  /** Starts a message that the quarantine has admitted, when nothing else is held. */
  #beginAlone(): void {
    const { waiting, quarantine } = this.#buffer;
    const suspect = quarantine.candidate(waiting);
    const others = this.#buffer.takeWaiting((held) => held !== suspect);
    if (others.length > 0) this.#context.giveBack(others);
    else if (suspect !== undefined && this.#units.count === 0 && this.#context.isQuiet()) {
      waiting.clear();
      quarantine.started(suspect);
      this.#start([suspect]);
    }
  }

  /** A full batch, or an incomplete one when its first message has waited long enough; otherwise nothing yet. */
  #nextBatch(): HeldMessage[] {
    const { maxMessages, maxWaitMs } = this.#options.batch;
    const { waiting, isOpen } = this.#buffer;
    const first = waiting.peek();
    const waitMs = first === undefined ? 0 : first.takenAt + maxWaitMs - performance.now();
    if (waiting.size >= maxMessages || waitMs <= 0 || !isOpen) return waiting.take(maxMessages);
    stopTimer(this.#batchTimer);
    this.#batchTimer = startTimer(() => this.begin(), Math.ceil(waitMs));
    return [];
  }
}
