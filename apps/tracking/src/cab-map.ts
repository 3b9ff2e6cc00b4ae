import { GpsFix, gpsFixes } from '@demo/contracts';
import { LogHandler, Millrace } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';

/** Where every cab was last: one hash, in the same Redis. */
@Injectable()
export class CabMap {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  /** At its own pace: when all cabs report simultaneously, the log holds what is not drawn yet, and no cab waits for the map. */
  @LogHandler({ topic: gpsFixes, group: 'cab-map', maxPerSecond: 10 })
  async draw(fix: GpsFix): Promise<void> {
    await this.#redis.hset(this.#key, fix.cabId, JSON.stringify(fix));
  }

  async all(): Promise<GpsFix[]> {
    const fixes = await this.#redis.hvals(this.#key);
    return fixes.map((fix): GpsFix => JSON.parse(fix));
  }

  get #redis() {
    return this.#millrace.connection.commands;
  }

  get #key(): string {
    return `${this.#millrace.connection.prefix}:tracking:cabs`;
  }
}
