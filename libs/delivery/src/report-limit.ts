import { pause } from '@millrace/core';

const windowMs = 1000;
/** How many different reports of one kind pass per window: reports with an id in their message are limited too. */
const mostTexts = 10;
/** The most kinds that are remembered: the oldest is dropped, and its next report passes immediately. */
const mostKinds = 1000;

interface Window<T> {
  readonly texts: Set<string>;
  heldBack: number;
  last: T;
}

/**
 * Passes each report once per second, and up to ten different ones of a kind. The last report held back passes at the end of the second,
 * with the number of the others.
 */
export class ReportLimit<T> {
  readonly #pass: (report: T, heldBack: number) => void;
  readonly #kinds = new Map<string, Window<T>>();

  constructor(pass: (report: T, heldBack: number) => void) {
    this.#pass = pass;
  }

  /** Passes a report on, now or later. */
  offer(kind: string, text: string, report: T): void {
    const window = this.#kinds.get(kind) ?? this.#begin(kind, report);
    if (window.texts.has(text) || window.texts.size >= mostTexts) {
      window.heldBack++;
      window.last = report;
      return;
    }
    window.texts.add(text);
    this.#pass(report, 0);
  }

  #begin(kind: string, report: T): Window<T> {
    const window: Window<T> = { texts: new Set(), heldBack: 0, last: report };
    this.#kinds.set(kind, window);
    if (this.#kinds.size > mostKinds) this.#kinds.delete(this.#kinds.keys().next().value ?? '');
    // This timer does not keep the process alive.
    void pause(windowMs, { ref: false }).then(() => this.#end(kind, window));
    return window;
  }

  #end(kind: string, window: Window<T>): void {
    if (this.#kinds.get(kind) === window) this.#kinds.delete(kind);
    if (window.heldBack > 0) this.#pass(window.last, window.heldBack - 1);
  }
}
