import { createHash } from 'node:crypto';
import { errorOf } from '@millrace/core';
import type { RedisClient } from './client.js';
import { encodeArgument } from './prepared-command.js';
import { type ScriptCall, ScriptCommand } from './script-command.js';
import { scriptFailure } from './script-failure.js';
import { writtenTogether } from './written-together.js';

/**
 * A Lua script: sent by its hash, and with its source when the server does not know it (a restart, a failover, SCRIPT FLUSH). Strings in
 * its reply arrive as Buffers; read them with the functions of `reply.ts`.
 */
export class Script {
  /** Its Lua source. */
  readonly source: string;
  /** Its SHA-1, by which servers know it. */
  readonly sha: string;
  /** EVAL and EVALSHA, or their read-only forms: those need no right to write the keys. */
  readonly #commands: { readonly whole: string; readonly byHash: string };
  /** The encoded head of every call by its hash. */
  readonly #head: string;

  constructor(source: string) {
    this.source = source.trim();
    const isReadOnly = /^#!lua.*\bno-writes\b/.test(this.source);
    this.#commands = isReadOnly ? { whole: 'EVAL_RO', byHash: 'EVALSHA_RO' } : { whole: 'EVAL', byHash: 'EVALSHA' };
    this.sha = createHash('sha1').update(this.source).digest('hex');
    this.#head = encodeArgument(this.#commands.byHash) + encodeArgument(this.sha);
  }

  /** `keys` must share one hash tag: the script runs in one slot of a cluster. */
  async run(client: RedisClient, keys: ScriptCall['keys'], args: ScriptCall['args']): Promise<unknown> {
    const call = { keys, args };
    try {
      return await sent(client, this.command(call));
    } catch (error) {
      if (!isUnknownScript(error)) throw scriptFailure(error, call);
      return await this.runWhole(client, keys, args);
    }
  }

  /** As `run`, but always sent with its source: a server that does not know it also runs it before the commands that follow it. */
  async runWhole(client: RedisClient, keys: ScriptCall['keys'], args: ScriptCall['args']): Promise<unknown> {
    const call = { keys, args };
    try {
      return await sent(client, this.command(call, { isWhole: true }));
    } catch (error) {
      throw scriptFailure(error, call);
    }
  }

  /** Sends one call, once. `isWhole`: with the source, for a server that does not know the script. */
  command(call: ScriptCall, { isWhole = false } = {}): ScriptCommand {
    const { whole, byHash } = this.#commands;
    return isWhole
      ? new ScriptCommand(whole, encodeArgument(whole) + encodeArgument(this.source), call)
      : new ScriptCommand(byHash, this.#head, call);
  }

  /**
   * Runs many calls, each on its own keys: in one write to a single server (4.6 µs of CPU per call instead of 10.7 one by one), each to
   * its node on a cluster. Never rejects: a failed call has an Error in its place.
   */
  async runMany(client: RedisClient, calls: readonly ScriptCall[]): Promise<unknown[]> {
    let replies: Promise<unknown>[] = [];
    writtenTogether(client, () => {
      replies = calls.map(({ keys, args }) => this.run(client, keys, args).catch(errorOf));
    });
    return Promise.all(replies);
  }
}

/** The server was restarted, replaced, or its scripts were flushed. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function sent(client: RedisClient, command: ScriptCommand): Promise<unknown> {
  client.sendCommand(command);
  return command.promise;
}
