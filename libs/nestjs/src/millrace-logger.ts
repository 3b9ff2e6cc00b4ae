import { notify, unreported } from '@millrace/core';
import { Logger } from '@nestjs/common';

/** Nest's logger for Millrace's own lines. An application's logger that throws, or rejects, ends neither a start nor a stop. */
export class MillraceLogger {
  readonly #logger = new Logger('Millrace');

  log(text: string): void {
    notify(() => this.#logger.log(text), unreported);
  }

  warn(text: string): void {
    notify(() => this.#logger.warn(text), unreported);
  }

  error(error: unknown, stack?: string): void {
    notify(() => (stack === undefined ? this.#logger.error(error) : this.#logger.error(error, stack)), unreported);
  }
}
