/** Where a partition's reader must skip ahead: retention removed records before they were read. */
export class RetentionGap {
  #at: number | undefined;
  #isCrossing = false;

  /** Whether reading has to wait until the gap is crossed. */
  get isOpen(): boolean {
    return this.#at !== undefined || this.#isCrossing;
  }

  /** The log continues at `offset`, later than what was requested. */
  meet(offset: number): void {
    this.#at = offset;
  }

  forget(): void {
    this.#at = undefined;
  }

  /** Asks where to continue, and moves there; if that fails, the gap is met again with the next read. */
  cross(
    resolve: (offset: number) => Promise<number | undefined>,
    go: (to: number | undefined, offset: number) => void,
  ): void {
    if (this.#at === undefined) return;
    const offset = this.#at;
    this.#at = undefined;
    this.#isCrossing = true;
    resolve(offset).then(
      (to) => {
        this.#isCrossing = false;
        go(to, offset);
      },
      () => {
        this.#isCrossing = false;
      },
    );
  }
}
