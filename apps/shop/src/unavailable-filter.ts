import { UnavailableError, WriteError } from '@millrace/core';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpStatus } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** An outage of Redis is no fault of the request: 503, with what is known about the write. */
@Catch(WriteError, UnavailableError)
export class UnavailableFilter implements ExceptionFilter {
  readonly #host: HttpAdapterHost;

  constructor(host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: WriteError | UnavailableError, host: ArgumentsHost): void {
    const statusCode = HttpStatus.SERVICE_UNAVAILABLE;
    const body = { statusCode, error: error.code, message: error.message };
    this.#host.httpAdapter.reply(host.switchToHttp().getResponse(), body, statusCode);
  }
}
