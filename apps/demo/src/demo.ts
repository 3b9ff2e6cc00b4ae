import { type DemoRedis, openDemoRedis } from './demo-redis.js';
import type { Display } from './display.js';
import { Services } from './services.js';
import type { StatusReader } from './status-reader.js';
import { Traffic } from './traffic.js';

export interface DemoOptions {
  /** Of the shop; 0: any. */
  readonly port: number;
  readonly hasTraffic: boolean;
}

/** How long services may take to drain, so that the whole is over within ten seconds. */
const drainMs = 8500;

/** Redis, the services on it, traffic, and a look at how everything stands. */
export class Demo {
  readonly #display: Display;
  readonly #options: DemoOptions;
  readonly #services: Services;
  readonly #startedAt = performance.now();
  #redis: DemoRedis | undefined;
  #traffic: Traffic | undefined;
  #reader: StatusReader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(display: Display, options: DemoOptions) {
    this.#display = display;
    this.#options = options;
    this.#services = new Services(display);
  }

  /** @throws when Redis or a service does not start; `end` clears away what did */
  async start(): Promise<void> {
    this.#redis = await openDemoRedis();
    if (this.#ending !== undefined) return this.#redis.stop();
    this.#display.say(`${this.#redis.description}. Starting five services on it.`);
    await this.#services.start(this.#redis.url, this.#options.port);
    if (this.#ending !== undefined) return;
    const shop = this.#services.url('shop');
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    // It fits into 80 columns.
    this.#display.say(`Ready after ${seconds} s: shop on ${shop}. Ctrl-C ends everything.`);
    if (this.#options.hasTraffic) this.#startTraffic(shop);
    // It knows the log and the queue: loaded when the services no longer need the processors for their start.
    const { StatusReader } = await import('./status-reader.js');
    this.#reader = await StatusReader.open(this.#redis.url, this.#services.urls);
    if (this.#ending === undefined) this.#look();
    else this.#reader.close();
  }

  /** First what makes traffic, then what takes requests and messages, then Redis below it. May be called at any time. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#traffic?.stop();
    await this.#services.stop(drainMs);
    await this.#looking;
    this.#reader?.close();
    await this.#redis?.stop();
  }

  #startTraffic(shop: string): void {
    const [tracking, analytics] = [this.#services.url('tracking'), this.#services.url('analytics')];
    this.#traffic = new Traffic({ shop, tracking, analytics });
    this.#traffic.start();
  }

  /** Each look begins when the one before is over. */
  #look(): void {
    if (this.#ending !== undefined) return;
    const { statusIntervalMs } = this.#display;
    this.#timer = setTimeout(() => {
      this.#looking = this.#lookOnce().then(() => this.#look());
    }, statusIntervalMs);
  }

  async #lookOnce(): Promise<void> {
    await this.#reviveRedis();
    const status = await this.#reader?.read();
    if (this.#ending === undefined) this.#display.show(status);
  }

  /** A user may want to see what a kill -9 of Redis does. */
  async #reviveRedis(): Promise<void> {
    try {
      if (await this.#redis?.revive()) this.#display.say('Redis ENDED, and was started again with its data.');
    } catch (error) {
      this.#display.say(`Redis ENDED and does not start again: ${error instanceof Error ? error.message : error}`);
    }
  }
}
