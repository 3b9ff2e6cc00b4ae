import type { Display } from './display.js';
import type { LogLine } from './log-line.js';
import type { Status } from './status.js';
import { cut, statusTable } from './status-table.js';

/** The part of a terminal that is used. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

const otherScreen = '\x1b[?1049h\x1b[?25l';
const ownScreen = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const toEndOfLine = '\x1b[K';
const toEndOfScreen = '\x1b[J';
const linesKept = 200;

/** A table that stays in its place, with the latest lines of the services below it. */
export class LiveDisplay implements Display {
  readonly statusIntervalMs = 1000;
  readonly #screen: Screen;
  readonly #said: string[] = [];
  readonly #latest: string[] = [];
  #status: Status | undefined;
  /** What is shown is how it was when Redis was last there. */
  #isStale = false;
  #isOpen = true;

  constructor(screen: Screen) {
    this.#screen = screen;
    screen.write(otherScreen);
  }

  say(text: string): void {
    if (!this.#isOpen) {
      this.#screen.write(`${text}\n`);
      return;
    }
    this.#said.push(...text.split('\n'));
    this.#draw();
  }

  log(service: string, { text }: LogLine): void {
    this.#latest.push(`${service.padEnd(13)}  ${text}`);
    if (this.#latest.length > linesKept) this.#latest.shift();
    // Later the table is drawn every second, with the latest lines below it.
    if (this.#status === undefined) this.#draw();
  }

  show(status: Status | undefined): void {
    this.#isStale = status === undefined;
    this.#status = status ?? this.#status;
    this.#draw();
  }

  /** Gives the terminal back as it was; what the demo said stays to be read. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#screen.write(ownScreen);
    for (const line of this.#said) this.#screen.write(`${line}\n`);
  }

  #draw(): void {
    if (!this.#isOpen) return;
    const { columns, rows } = this.#screen;
    const table = this.#status === undefined ? [] : ['', ...statusTable(this.#status, columns)];
    const away = this.#isStale ? ['', 'REDIS IS AWAY: this is how it was.'] : [];
    const said = this.#said.map((line) => cut(line, columns));
    const above = [...said, ...away, ...table, '', 'LATEST'].slice(0, rows);
    const free = rows - above.length;
    const below = free > 0 ? this.#latest.slice(-free).map((line) => cut(line, columns)) : [];
    const lines = [...above, ...below].map((line) => `${line}${toEndOfLine}`);
    this.#screen.write(`${home}${lines.join('\r\n')}${toEndOfScreen}`);
  }
}
