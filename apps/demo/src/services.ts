import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Display } from './display.js';
import { ServiceProcess } from './service-process.js';

const names = ['shop', 'notifications', 'inventory', 'tracking', 'analytics'] as const;

type ServiceName = (typeof names)[number];

/**
 * In the order of their start, which is nearly all processor time: each loads Nest and what else it stands on. All simultaneously where
 * there is a processor for each; else first the two that an order needs.
 */
const waves = availableParallelism() >= names.length ? [names] : [names.slice(0, 2), names.slice(2)];

/** The services, each in a process of its own. */
export class Services {
  readonly #display: Display;
  readonly #processes: ServiceProcess[] = [];
  readonly #urls = new Map<string, string>();
  #isStopping = false;

  constructor(display: Display) {
    this.#display = display;
  }

  /** Resolves when all are ready. The shop gets `port`, the others the next ones, where they are free. @throws when one ends */
  async start(redisUrl: string, port: number): Promise<void> {
    if (port !== 0 && (await freeOrAny(port)) !== port) {
      throw new Error(
        `Port ${port} is in use. End what listens there, choose another one with PORT, or take free ones: PORT=0 npm start`,
      );
    }
    for (const wave of waves) {
      const starts = wave.map(async (name) => {
        const own = name === 'shop' ? port : await freeOrAny(port === 0 ? 0 : port + names.indexOf(name));
        return this.#startOne(name, { PORT: String(own), REDIS_URL: redisUrl });
      });
      await Promise.all(starts);
    }
  }

  /** A service that is ready. */
  url(name: ServiceName): string {
    return this.#urls.get(name) ?? '';
  }

  get urls(): readonly string[] {
    return [...this.#urls.values()];
  }

  /** All at the same time. What has not ended after `deadlineMs` is killed, and said. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const stops = this.#processes.map(async (service) => {
      if (!(await service.stop(deadlineMs))) {
        this.#display.say(`${service.name} did not end within ${deadlineMs} ms and was killed.`);
      }
    });
    await Promise.all(stops);
  }

  async #startOne(name: ServiceName, env: Readonly<Record<string, string>>): Promise<void> {
    if (this.#isStopping) return;
    let isReady = false;
    const service = await ServiceProcess.start(name, env, (line) => {
      // What Nest logs about its modules and routes is of no interest here.
      isReady ||= line.text.includes(' on http://');
      if (isReady || line.level !== 'log') this.#display.log(name, line);
    });
    if (this.#isStopping) {
      await service.stop(0);
      return;
    }
    this.#processes.push(service);
    this.#urls.set(name, await service.ready);
    void service.ended.then((how) => {
      if (this.#isStopping) return;
      this.#urls.delete(name);
      this.#display.say(
        `${name} ENDED (${how}) and is not started again: what it would handle waits in Redis. Ctrl-C ends the rest.`,
      );
    });
  }
}

/** The port when it can be had, else 0: any. */
async function freeOrAny(port: number): Promise<number> {
  if (port > 65_535) return 0;
  const probe = createServer();
  try {
    probe.listen(port);
    await once(probe, 'listening');
    return port;
  } catch {
    return 0;
  } finally {
    probe.close();
  }
}
