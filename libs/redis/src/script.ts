import { createHash } from 'node:crypto';
import type { RedisClient } from './client.js';

export type ScriptArgument = string | number | Buffer;

/**
 * A Lua script and its way to the server: sent by its hash, and whole when the server does not know it (a restart,
 * a failover, SCRIPT FLUSH). Strings in its reply arrive as Buffers; read them with the functions of `reply.ts`.
 */
export class Script {
  readonly source: string;
  readonly sha: string;

  constructor(source: string) {
    this.source = source.trim();
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  /** `keys` must share one hash tag: the script runs in one slot of a cluster. */
  async run(client: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await client.callBuffer('EVALSHA', this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await client.callBuffer('EVAL', this.source, keys.length, ...keys, ...args);
    }
  }
}

/** Tags a Lua script. A plain text: nothing may be put into it, or the server would cache one script a value. */
export function lua(source: TemplateStringsArray): Script {
  return new Script(source.raw[0] ?? '');
}
