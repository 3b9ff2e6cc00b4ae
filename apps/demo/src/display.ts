import type { LogLine } from './log-line.js';
import type { Status } from './status.js';

/** Where the demo tells what happens. */
export interface Display {
  /** How often it wants a new status. */
  readonly statusIntervalMs: number;
  /** What the demo itself has to say. */
  say(text: string): void;
  /** What a service printed. */
  log(service: string, line: LogLine): void;
  /** Undefined: nothing can be read at the moment. */
  show(status: Status | undefined): void;
  end(): void;
}
