import { pause } from '@millrace/core';

const windowMs = 1000;
/** Of one kind so many different reports come within the window: what has an id in its text is as loud as what has none. */
const mostTexts = 10;
/** More kinds than anybody reads: the oldest is forgotten, and its next report comes at once. */
const mostKinds = 1000;

interface Window<T> {
  readonly texts: Set<string>;
  heldBack: number;
  last: T;
}

/**
 * Lets each report through once a second, and ten different ones of a kind. The last of those that it holds back comes when the second
 * is over, with how many more there were.
 */
export class ReportLimit<T> {
  readonly #tell: (report: T, heldBack: number) => void;
  readonly #kinds = new Map<string, Window<T>>();

  constructor(tell: (report: T, heldBack: number) => void) {
    this.#tell = tell;
  }

  /** Tells of a report, now or later. */
  offer(kind: string, text: string, report: T): void {
    const window = this.#kinds.get(kind) ?? this.#begin(kind, report);
    if (window.texts.has(text) || window.texts.size >= mostTexts) {
      window.heldBack++;
      window.last = report;
      return;
    }
    window.texts.add(text);
    this.#tell(report, 0);
  }

  #begin(kind: string, report: T): Window<T> {
    const window: Window<T> = { texts: new Set(), heldBack: 0, last: report };
    this.#kinds.set(kind, window);
    if (this.#kinds.size > mostKinds) this.#kinds.delete(this.#kinds.keys().next().value ?? '');
    // Nobody's process stays for it.
    void pause(windowMs, { ref: false }).then(() => this.#end(kind, window));
    return window;
  }

  #end(kind: string, window: Window<T>): void {
    if (this.#kinds.get(kind) === window) this.#kinds.delete(kind);
    if (window.heldBack > 0) this.#tell(window.last, window.heldBack - 1);
  }
}
