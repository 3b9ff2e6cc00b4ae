import type { Codec } from '@millrace/core';

/**
 * The values of consecutive records in a batch. Decoding the first one decodes all of them, since
 * many codecs decode several values much faster together than one by one.
 */
export class ValueRun {
  readonly #text: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #decoded: unknown[] | undefined;

  /** `text`: the string of the whole batch. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Takes one more value, before any is decoded; returns its index. */
  add(start: number, end: number): number {
    this.#starts.push(start);
    return this.#ends.push(end) - 1;
  }

  /** Decodes a value, again on each call, so that no two attempts share it. @throws any error when the codec cannot decode it */
  decode(index: number, codec: TextCodec): unknown {
    this.#decoded ??= codec.decodeTexts?.(this.#starts.map((_, each) => this.#textOf(each))) ?? [];
    const value = this.#decoded[index];
    if (value === undefined) return codec.decodeText(this.#textOf(index));
    this.#decoded[index] = undefined;
    return value;
  }

  #textOf(index: number): string {
    return this.#text.substring(this.#starts[index] ?? 0, this.#ends[index]);
  }
}

/** A codec that decodes strings. */
export type TextCodec = Codec & Required<Pick<Codec, 'decodeText'>>;

export function readsText(codec: Codec): codec is TextCodec {
  return codec.decodeText !== undefined;
}
