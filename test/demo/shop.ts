import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, spawnProgram, waitFor } from '@millrace/testing';

const apps = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps');

/** What `npm start` runs. */
export const demoProgram = resolve(apps, 'demo/dist/main.js');

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** A shop, spoken to over HTTP. */
export class Shop {
  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  /** The whole demo as its user starts it, with its data in `folder`; resolves when all its services are ready. */
  static async ofDemo(folder: string, ...args: string[]): Promise<Shop> {
    const env = { PORT: '0', REDIS_URL: undefined };
    const program = await spawnProgram(demoProgram, { cwd: folder, env, args });
    return new Shop(program, urlIn(await program.waitForLine(/^Ready after/, { timeoutMs: 90_000 })));
  }

  /** The shop's service alone. */
  static async alone(redisUrl: string): Promise<Shop> {
    const env = { PORT: '0', REDIS_URL: redisUrl, NO_COLOR: '1' };
    const program = await spawnProgram(resolve(apps, 'shop/dist/main.js'), { env });
    return new Shop(program, urlIn(await program.waitForLine(/Shop on http/, { timeoutMs: 60_000 })));
  }

  async get(path: string): Promise<Answer> {
    return read(await fetch(`${this.url}${path}`));
  }

  async post(path: string, body: unknown): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    return read(await fetch(`${this.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
  }

  /** Waits until an order has a status, and returns it. */
  async waitForStatus(orderId: unknown, status: string): Promise<Record<string, unknown>> {
    return waitFor(
      async () => {
        const { body } = await this.get(`/orders/${orderId}`);
        return body.status === status ? body : undefined;
      },
      { what: `order ${orderId} to be ${status}`, timeoutMs: 30_000 },
    );
  }
}

function urlIn(line: string): string {
  const url = /http:\/\/\S+?:\d+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`no address in: ${line}`);
  return url;
}

async function read(response: Response): Promise<Answer> {
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
