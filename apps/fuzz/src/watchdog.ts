import type { Redis } from '@millrace/redis';
import type { ReportLine } from './report-line.js';

/** What is too much: several times what was seen on a machine with two busy cores. */
const maxLagMs = 3000;
const maxRssBytes = 1_200_000_000;
/** Of Redis, commands of scripts included. A hundred messages a second take some 5,000; a loop without a rest 50,000 and more. */
const maxCommandsPerSecond = 25_000;
const mostUnclear = 20;

/** Looks on while anything is written into Redis: what a process must not do then, whatever it reads. */
export class Watchdog {
  readonly broken: string[] = [];
  readonly handled = new Map<string, number>();
  /** How many errors of Millrace's there were, by their names. */
  readonly clear = new Map<string, number>();
  /** Errors that explain nothing, by their words; and what was under way. */
  readonly unclear = new Map<string, string>();
  readonly most = { lagMs: 0, heapBytes: 0, rssBytes: 0, commandsPerSecond: 0 };
  readonly #redis: Redis;
  #commands = 0;
  #lookedAt = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  take(line: ReportLine): void {
    switch (line.kind) {
      case 'handled':
        this.handled.set(line.flow, Math.max(line.value, this.handled.get(line.flow) ?? -1));
        break;
      case 'clear':
        this.clear.set(line.name, (this.clear.get(line.name) ?? 0) + 1);
        break;
      case 'uncaught':
        this.broken.push(line.text);
        break;
      case 'unclear':
        if (this.unclear.size < mostUnclear) this.unclear.set(line.text.replace(/\d+/g, 'N'), line.during);
        break;
      case 'pulse':
        this.#pulse(line);
        break;
      default:
        line satisfies never;
    }
  }

  /** Counts what Redis did since the last look. */
  async look(): Promise<void> {
    const found = /total_commands_processed:(\d+)/.exec(await this.#redis.info('stats'))?.[1];
    const [commands, now] = [Number(found ?? 0), performance.now()];
    const perSecond =
      this.#lookedAt === 0 ? 0 : Math.round(((commands - this.#commands) * 1000) / (now - this.#lookedAt));
    [this.#commands, this.#lookedAt] = [commands, now];
    this.most.commandsPerSecond = Math.max(this.most.commandsPerSecond, perSecond);
    if (perSecond > maxCommandsPerSecond)
      this.broken.push(`${perSecond} commands per second, at most ${maxCommandsPerSecond}`);
  }

  #pulse({ lagMs, heapBytes, rssBytes }: Extract<ReportLine, { kind: 'pulse' }>): void {
    this.most.lagMs = Math.max(this.most.lagMs, lagMs);
    this.most.heapBytes = Math.max(this.most.heapBytes, heapBytes);
    this.most.rssBytes = Math.max(this.most.rssBytes, rssBytes);
    if (lagMs > maxLagMs) this.broken.push(`the event loop stood still for ${lagMs} ms, at most ${maxLagMs}`);
    if (rssBytes > maxRssBytes) this.broken.push(`the process has ${rssBytes} bytes, at most ${maxRssBytes}`);
  }
}
