const windowMs = 1000;
/** Of one kind so many different reports come within the window: what has an id in its text is as loud as what has none. */
const mostTexts = 10;
/** More kinds than anybody reads: the oldest is forgotten, and its next report comes at once. */
const mostKinds = 1000;

interface Window {
  readonly since: number;
  readonly texts: Set<string>;
  heldBack: number;
}

/** Lets each report through once a second, and ten different ones of a kind; counts those that it holds back. */
export class ReportLimit {
  readonly #kinds = new Map<string, Window>();

  /**
   * How many of the kind were held back before, if this is the first since then; undefined: this one is held back too.
   *
   * @param now by a monotonic clock, in ms
   */
  admit(kind: string, text: string, now: number): number | undefined {
    const window = this.#kinds.get(kind);
    if (window === undefined || now - window.since >= windowMs) {
      this.#begin(kind, { since: now, texts: new Set([text]), heldBack: 0 });
      return window?.heldBack ?? 0;
    }
    if (window.texts.has(text) || window.texts.size >= mostTexts) {
      window.heldBack++;
      return undefined;
    }
    window.texts.add(text);
    return 0;
  }

  #begin(kind: string, window: Window): void {
    this.#kinds.delete(kind);
    this.#kinds.set(kind, window);
    if (this.#kinds.size > mostKinds) this.#kinds.delete(this.#kinds.keys().next().value ?? '');
  }
}
