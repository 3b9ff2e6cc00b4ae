import { Redis } from 'ioredis';
import { type Place, urlOf } from './place.js';

/** What Redis spends on its commands: the processor time of the thread that runs them. */
export class RedisCpu {
  readonly #client: Redis;

  constructor(place: Place) {
    this.#client = new Redis(urlOf(place, 'redis'));
  }

  /** µs of its main thread since the server began. The file's fsync and what is freed lazily are other threads'. */
  async usedUs(): Promise<number> {
    const cpu = await this.#client.info('cpu');
    return (field(cpu, 'sys') + field(cpu, 'user')) * 1e6;
  }

  close(): void {
    this.#client.disconnect();
  }
}

/** Without the main thread's own figure, on systems other than Linux, the whole server's. */
function field(cpu: string, kind: 'sys' | 'user'): number {
  const [, seconds] =
    new RegExp(`^used_cpu_${kind}_main_thread:([\\d.]+)`, 'm').exec(cpu) ??
    new RegExp(`^used_cpu_${kind}:([\\d.]+)`, 'm').exec(cpu) ??
    [];
  if (seconds === undefined) throw new Error(`INFO cpu says nothing of used_cpu_${kind}`);
  return Number(seconds);
}
