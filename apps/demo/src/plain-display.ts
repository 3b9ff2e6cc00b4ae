import type { Display } from './display.js';
import type { LogLine } from './log-line.js';
import type { Status } from './status.js';
import { statusLine } from './status-table.js';

/** One line after the other: for files, pipes and containers. */
export class PlainDisplay implements Display {
  readonly statusIntervalMs = 5000;
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  say(text: string): void {
    this.#write(`${text}\n`);
  }

  log(service: string, { text }: LogLine): void {
    this.#write(`${service.padEnd(13)}  ${text}\n`);
  }

  show(status: Status | undefined): void {
    const text = status === undefined ? 'Redis is away' : statusLine(status);
    this.#write(`${'status'.padEnd(13)}  ${text}\n`);
  }

  end(): void {}
}
