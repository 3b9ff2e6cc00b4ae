import type { Codec } from '@millrace/core';

/**
 * The values of some records that follow each other in a batch. The first that is decoded has all of them decoded, since
 * a codec may do that in much less time than one by one.
 */
export class ValueRun {
  readonly #text: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #decoded: unknown[] | undefined;

  /** `text`: of the whole batch. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Takes one more value, before any is decoded; answers its index. */
  add(start: number, end: number): number {
    this.#starts.push(start);
    return this.#ends.push(end) - 1;
  }

  /** Decodes a value: anew each time, so that no two attempts share it. @throws any error when it means nothing to the codec */
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

/** A codec that reads text. */
export type TextCodec = Codec & Required<Pick<Codec, 'decodeText'>>;

export function readsText(codec: Codec): codec is TextCodec {
  return codec.decodeText !== undefined;
}
