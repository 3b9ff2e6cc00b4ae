import type { ConnectionInput } from '@millrace/redis';
import { FirstConnection } from '../module/first-connection.js';
import { Millrace } from '../module/millrace.js';
import { resolveModuleOptions } from '../module/module-options.js';
import { type TransportEvents, type TransportStatus, watchConnection } from './transport-status.js';

/** The user of a link, as described in its errors. */
interface LinkUser {
  /** The name of its own connection. */
  readonly name: string;
  /** `MillraceClient cannot connect` */
  readonly failed: string;
  /** What triggers the next attempt: `the next call`. */
  readonly next: string;
  /** Receives every change of the connection. */
  readonly status: { next(status: TransportStatus): void };
  /** That of its own connection. Default: as of any connection. */
  readonly shutdownDeadlineMs?: number | undefined;
}

/**
 * A transport's connection to Redis: that of a MillraceModule, or the transport's own. If its own was closed or could not be opened, the
 * next `open` creates it again, so a transport recovers after Redis was away.
 */
export class TransportLink {
  readonly #given: ConnectionInput | Millrace;
  readonly #user: LinkUser;
  readonly #listeners: (readonly [event: keyof TransportEvents, callback: never])[] = [];
  #millrace: Millrace;
  #unwatch: (() => void) | undefined;

  /** Does not connect yet. */
  constructor(given: ConnectionInput | Millrace, user: LinkUser) {
    this.#given = given;
    this.#user = user;
    this.#millrace = this.#make();
    this.#watch();
  }

  /** The current connection. */
  get millrace(): Millrace {
    return this.#millrace;
  }

  /**
   * Connects its own connection; for a module's, waits until it has declared its topology.
   *
   * @throws {UnavailableError} Redis is away; its own connection is closed then
   */
  async open(): Promise<Millrace> {
    if (this.#isOwn && this.#millrace.state === 'closed') this.#renew();
    this.#watch();
    const millrace = this.#millrace;
    if (this.#isOwn) await this.#connect(millrace);
    await millrace.ready();
    return millrace;
  }

  /** The user drains its consumers now: of the deadline of its own connection, what is left after that is for pending writes. */
  drainBegins(): void {
    if (this.#isOwn) this.#millrace.drainBegins();
  }

  /** Closes its own connection; that of a module stays open. */
  async close(): Promise<void> {
    this.#endWatch();
    this.#user.status.next('disconnected');
    if (this.#isOwn) await this.#millrace.close();
  }

  /** Listens to the connection, and to each that replaces it. */
  on<K extends keyof TransportEvents>(event: K, callback: TransportEvents[K]): void {
    this.#listeners.push([event, callback as never]);
    this.#millrace.connection.on(event, callback as never);
  }

  get #isOwn(): boolean {
    return !(this.#given instanceof Millrace);
  }

  #make(): Millrace {
    if (this.#given instanceof Millrace) return this.#given;
    const { name, shutdownDeadlineMs } = this.#user;
    const deadline = shutdownDeadlineMs === undefined ? {} : { shutdownDeadlineMs };
    return new Millrace(name, resolveModuleOptions({ connection: this.#given, logging: false, ...deadline }, name));
  }

  #renew(): void {
    this.#endWatch();
    this.#millrace = this.#make();
    for (const [event, callback] of this.#listeners) this.#millrace.connection.on(event, callback);
  }

  async #connect(millrace: Millrace): Promise<void> {
    const { failed, next } = this.#user;
    const advice = `Start Redis, or correct the option connection; ${next} tries again.`;
    try {
      await new FirstConnection(millrace.connection).open({ failed, advice });
    } catch (error) {
      await millrace.close();
      throw error;
    }
  }

  #watch(): void {
    this.#unwatch ??= watchConnection(this.#millrace.connection, this.#user.status);
  }

  #endWatch(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
