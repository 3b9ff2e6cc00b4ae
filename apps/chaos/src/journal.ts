import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry, Unstamped } from './model/journal-entry.js';

/** The machine's monotonic clock in µs: the same for all its processes. */
export function machineClock(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * What one process writes down, a line an entry. Each is handed to the kernel before the call returns, so that it
 * survives a kill −9 in the next moment (the machine itself does not die here).
 */
export class Journal {
  readonly #file: number;
  readonly #process: string;

  constructor(folder: string, process: string) {
    this.#process = process;
    this.#file = openSync(join(folder, `${process}.jsonl`), 'a');
  }

  write(entry: Unstamped): void {
    writeSync(this.#file, `${JSON.stringify({ at: machineClock(), process: this.#process, ...entry })}\n`);
  }

  note(what: string, details: unknown): void {
    this.write({ kind: 'noted', what, details });
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Every entry of every journal, in the order of their times. A last line that a kill cut short was never finished: it is left out. */
export function readJournals(folder: string): JournalEntry[] {
  const entries = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  return entries.map((line) => JSON.parse(line) as JournalEntry).sort((a, b) => a.at - b.at);
}
