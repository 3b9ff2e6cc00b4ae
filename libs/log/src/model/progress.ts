import { ByteReader, ByteWriter, CodecError } from '@millrace/core';
import type { Frontier } from './frontier.js';

/** What is stored beside a committed offset, so that the next owner neither repeats what is done nor loses failure counts. */
export interface Progress {
  /** Runs of offsets beyond the committed one that are done. */
  readonly done: readonly { readonly start: number; readonly length: number }[];
  /** Offset → how many times its record has failed. */
  readonly attempts: ReadonlyMap<number, number>;
  /** Offset → how many deliveries of its record ended without an outcome. Undefined: none. */
  readonly returns?: ReadonlyMap<number, number> | undefined;
}

export const noProgress: Progress = { done: [], attempts: new Map() };

const version = 1;
/** As version 1, with returns: written only where there are any, since an older process cannot read it, and repeats what is done beyond. */
const versionWithReturns = 2;
const none: ReadonlyMap<number, number> = new Map();
const asRuns = 0;
const asBitmap = 1;
/** No member reads so far ahead of the committed offset: a value that claims more is not progress. */
const maxReach = 16_777_216;
/** If more records than this fail or return, the rest start counting again with a new owner. */
const maxCounts = 512;

/**
 * Encodes what is done beyond the frontier, as runs or as a bitmap, the shorter of the two (as Confluent's parallel
 * consumer does), plus the failures and the returns. What does not fit into `maxBytes` is left out from the far end: it would be handled
 * again after a crash, never lost. Empty when there is nothing to keep.
 */
export function encodeProgress(
  frontier: Frontier,
  attempts: ReadonlyMap<number, number>,
  maxBytes: number,
  returns = none,
): Buffer {
  if (frontier.beyond === 0 && attempts.size === 0 && returns.size === 0) return Buffer.alloc(0);
  const writer = new ByteWriter(256);
  writer.byte(returns.size === 0 ? version : versionWithReturns);
  writeCounts(writer, attempts, frontier.offset);
  if (returns.size > 0) writeCounts(writer, returns, frontier.offset);
  const runs = frontier.runs();
  const room = maxBytes - writer.length - 1;
  const shortest = shorter(runsOf(runs, frontier.offset, room), bitmapOf(runs, frontier.offset, room));
  return writer.byte(shortest.kind).raw(shortest.bytes).finish();
}

/** @throws {CodecError} on bytes that `encodeProgress` did not write */
export function decodeProgress(committed: number, bytes: Buffer): Progress {
  if (bytes.length === 0) return noProgress;
  const reader = new ByteReader(bytes);
  const written = reader.byte();
  if (written !== version && written !== versionWithReturns)
    throw new CodecError('the progress of a group has an unknown version');
  const attempts = readCounts(reader, committed);
  const returns = written === version ? undefined : readCounts(reader, committed);
  const kind = reader.byte();
  return { attempts, returns, done: kind === asRuns ? readRuns(reader, committed) : readBitmap(reader, committed) };
}

interface Encoded {
  readonly kind: number;
  readonly bytes: Buffer;
  /** The last offset it covers: less than requested where the encoding had to be cut. */
  readonly reach: number;
}

function shorter(a: Encoded, b: Encoded): Encoded {
  if (a.reach !== b.reach) return a.reach > b.reach ? a : b;
  return a.bytes.length <= b.bytes.length ? a : b;
}

/** Gap, length, gap, length … */
function runsOf(runs: Progress['done'], base: number, maxBytes: number): Encoded {
  const writer = new ByteWriter(256);
  let at = base;
  for (const { start, length } of runs) {
    const before = writer.length;
    writer.varint(start - at).varint(length);
    if (writer.length > maxBytes) {
      writer.truncate(before);
      break;
    }
    at = start + length;
  }
  return { kind: asRuns, bytes: writer.finish(), reach: at };
}

/** One bit per offset, the lowest first. */
function bitmapOf(runs: Progress['done'], base: number, maxBytes: number): Encoded {
  const last = runs.at(-1);
  const wanted = last === undefined ? 0 : last.start + last.length - base;
  const bits = Math.min(wanted, Math.max(0, maxBytes) * 8);
  const bytes = Buffer.alloc(Math.ceil(bits / 8));
  for (const { start, length } of runs) {
    for (let bit = start - base; bit < Math.min(start + length - base, bits); bit++) {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return { kind: asBitmap, bytes, reach: base + bits };
}

function readRuns(reader: ByteReader, base: number): Progress['done'] {
  const runs: { start: number; length: number }[] = [];
  let at = base;
  while (reader.remaining > 0) {
    const start = at + reader.varint();
    const length = reader.varint();
    runs.push({ start, length });
    at = start + length;
    if (at - base > maxReach) throw new CodecError(`the progress of a group reaches ${at - base} records ahead`);
  }
  return runs;
}

function readBitmap(reader: ByteReader, base: number): Progress['done'] {
  const bytes = reader.rest();
  const runs: { start: number; length: number }[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    if (((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.length === base + bit) last.length++;
    else runs.push({ start: base + bit, length: 1 });
  }
  return runs;
}

function writeCounts(writer: ByteWriter, counts: ReadonlyMap<number, number>, base: number): void {
  const kept = [...counts].filter(([offset]) => offset >= base).slice(0, maxCounts);
  writer.varint(kept.length);
  for (const [offset, count] of kept) writer.varint(offset - base).varint(count);
}

function readCounts(reader: ByteReader, base: number): Map<number, number> {
  const counts = new Map<number, number>();
  // The count is unverified.
  for (let left = reader.varint(); left > 0; left--) counts.set(base + reader.varint(), reader.varint());
  return counts;
}
