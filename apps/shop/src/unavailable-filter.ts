import { UnavailableError, WriteError } from '@millrace/core';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/**
 * An outage of Redis is no fault of the request: 503, with what is known about the write. The error's own message is for the log: it
 * names hosts, and who asks may be a stranger.
 */
@Catch(WriteError, UnavailableError)
export class UnavailableFilter implements ExceptionFilter {
  readonly #host: HttpAdapterHost;
  readonly #logger = new Logger(UnavailableFilter.name);

  constructor(host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: WriteError | UnavailableError, host: ArgumentsHost): void {
    this.#logger.warn(error.message);
    const statusCode = HttpStatus.SERVICE_UNAVAILABLE;
    const mayBeWritten = error instanceof WriteError && error.mayBeWritten;
    const message = mayBeWritten ? 'It may have been done all the same.' : 'Nothing was done. Try again later.';
    this.#host.httpAdapter.reply(
      host.switchToHttp().getResponse(),
      { statusCode, error: error.code, message },
      statusCode,
    );
  }
}
