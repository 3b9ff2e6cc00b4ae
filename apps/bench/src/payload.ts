/** What is sent: JSON of a fixed length that carries a number and a time. */
export interface Payload {
  readonly id: number;
  /** ms since 1970, with fractions: when it was (to be) sent. */
  readonly at: number;
  readonly pad: string;
}

/** Bytes of a payload as JSON. */
export const payloadBytes = 100;

const pads = Array.from({ length: payloadBytes }, (_, length) => 'abcdefghij'.repeat(10).slice(0, length));

/** A payload whose JSON has exactly `payloadBytes` bytes, as long as `id` and `at` are numbers of a sane length. */
export function payload(id: number, at = 0): Payload {
  const rounded = Math.round(at * 1000) / 1000;
  const length = `{"id":${id},"at":${rounded},"pad":""}`.length;
  return { id, at: rounded, pad: pads[payloadBytes - length] ?? '' };
}

/** As many payloads as asked for, numbered from `first`. */
export function payloads(count: number, first = 0): Payload[] {
  return Array.from({ length: count }, (_, index) => payload(first + index));
}

/** What every subject's consumer does with the bytes, unless its library does it itself. */
export function parsePayload(json: string): Payload {
  return JSON.parse(json) as Payload;
}
