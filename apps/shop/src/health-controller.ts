import { Millrace } from '@millrace/nestjs';
import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';

@Controller('health')
export class HealthController {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  /**
   * 200 while Redis is there, 503 while it is away: for a load balancer. Nothing has to be restarted in between. Why it is away is in the
   * log: the reason names hosts, and who asks may be a stranger.
   */
  @Get()
  check(): { status: 'up' } {
    if (this.#millrace.connection.isUp) return { status: 'up' };
    throw new ServiceUnavailableException({ status: 'down' });
  }
}
