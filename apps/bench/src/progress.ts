import type { RunListener } from './run.js';

/** One line that is written over in a terminal, a line a measurement elsewhere; on standard error. */
export class Progress implements RunListener {
  failures = 0;
  readonly #startedAt = performance.now();

  onMeasurement(done: number, all: number, scenario: string, subject: string, round: number): void {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    this.#write(`${done + 1}/${all} ${seconds} s: ${scenario}, ${subject}, round ${round}`);
  }

  onFailure(scenario: string, subject: string, error: unknown): void {
    this.failures++;
    this.say(`failed: ${scenario}, ${subject}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** A line that stays. */
  say(text: string): void {
    this.#write(process.stderr.isTTY ? `${text}\n` : text);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }

  #write(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  }
}
