import { createHash } from 'node:crypto';
import { Cluster, type RedisClient } from './client.js';

/** What can be given to a script as ARGV. */
export type ScriptArgument = string | number | Buffer;

/** One call of a script. */
export interface ScriptCall {
  /** Of one hash tag. */
  readonly keys: readonly string[];
  /** ARGV, in order. */
  readonly args: readonly ScriptArgument[];
}

/**
 * A Lua script and its way to the server: sent by its hash, and whole when the server does not know it (a restart,
 * a failover, SCRIPT FLUSH). Strings in its reply arrive as Buffers; read them with the functions of `reply.ts`.
 */
export class Script {
  /** Its Lua. */
  readonly source: string;
  /** Its SHA-1, by which servers know it. */
  readonly sha: string;
  /** EVAL and EVALSHA, or their read-only forms: those need no right to write the keys. */
  readonly #commands: { readonly whole: string; readonly byHash: string };

  constructor(source: string) {
    this.source = source.trim();
    const isReadOnly = /^#!lua.*\bno-writes\b/.test(this.source);
    this.#commands = isReadOnly ? { whole: 'EVAL_RO', byHash: 'EVALSHA_RO' } : { whole: 'EVAL', byHash: 'EVALSHA' };
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  /** `keys` must share one hash tag: the script runs in one slot of a cluster. */
  async run(client: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await client.callBuffer(this.#commands.byHash, this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await client.callBuffer(this.#commands.whole, this.source, keys.length, ...keys, ...args);
    }
  }

  /**
   * Runs many calls, each on its own keys: written at once to a single server (that costs a third of writing one by one),
   * each to its node on a cluster. Never rejects: a call that failed has an Error in its place.
   */
  async runMany(client: RedisClient, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const alone = ({ keys, args }: ScriptCall) => this.run(client, keys, args).catch(asError);
    if (client instanceof Cluster) return Promise.all(calls.map(alone));
    const pipeline = client.pipeline();
    for (const { keys, args } of calls) {
      pipeline.callBuffer(this.#commands.byHash, this.sha, keys.length, ...keys, ...args);
    }
    const replies = (await pipeline.exec().catch(asError)) ?? [];
    if (replies instanceof Error) return calls.map(() => replies);
    return Promise.all(
      calls.map((call, index) => {
        const [error, reply] = replies[index] ?? [new Error('no reply'), undefined];
        if (error === null) return reply;
        return error.message.startsWith('NOSCRIPT') ? alone(call) : error;
      }),
    );
  }
}

/** Tags a Lua script. A plain text: nothing may be put into it, or the server would cache one script a value. */
export function lua(source: TemplateStringsArray): Script {
  return new Script(source.raw[0] ?? '');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
