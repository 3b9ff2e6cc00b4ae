import type { RunListener } from './run.js';

/** One line that is written over in a terminal, a line a measurement elsewhere; on standard error. */
export class Progress implements RunListener {
  readonly #failures = new Map<string, number>();
  readonly #startedAt = performance.now();

  onMeasurement(done: number, all: number, scenario: string, subject: string, round: number): void {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    this.#write(`${done + 1}/${all} ${seconds} s: ${scenario}, ${subject}, round ${round}`);
  }

  onFailure(scenario: string, subject: string, error: unknown): void {
    const what = `${scenario}, ${subject}`;
    this.#failures.set(what, (this.#failures.get(what) ?? 0) + 1);
    this.say(`failed: ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  /** A line each that stands below the table: who failed in every round is not in it. */
  get failures(): string[] {
    return [...this.#failures].map(([what, times]) => `failed: ${what}: ${times} times, for the reason told above`);
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
