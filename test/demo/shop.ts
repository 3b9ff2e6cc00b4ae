import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, spawnProgram, waitFor } from '@millrace/testing';

const main = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/demo/dist/main.js');

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The demo as its user runs it: a process of its own, spoken to over HTTP. */
export class Shop {
  readonly program: Program;
  readonly #url: string;

  private constructor(program: Program, url: string) {
    this.program = program;
    this.#url = url;
  }

  /** Starts it with its data in `folder`, or on the Redis of `redisUrl`; resolves when it takes orders. */
  static async open(folder: string, redisUrl?: string): Promise<Shop> {
    const program = await spawnProgram(main, { cwd: folder, env: { PORT: '0', REDIS_URL: redisUrl } });
    const line = await program.waitForLine(/Shop on http/, { timeoutMs: 20_000 });
    return new Shop(program, /http:\/\/\S+?:\d+/.exec(line)?.[0] ?? join('no address in', line));
  }

  async get(path: string): Promise<Answer> {
    return read(await fetch(`${this.#url}${path}`));
  }

  async post(path: string, body: unknown): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return read(await fetch(`${this.#url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
  }

  /** Waits until an order has a status, and answers it. */
  async waitForStatus(orderId: unknown, status: string): Promise<Record<string, unknown>> {
    const what = `order ${orderId} to be ${status}`;
    return waitFor(
      async () => {
        const { body } = await this.get(`/orders/${orderId}`);
        return body.status === status ? body : undefined;
      },
      { what },
    );
  }
}

async function read(response: Response): Promise<Answer> {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
