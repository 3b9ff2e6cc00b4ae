import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '@millrace/core';
import { type Guarded, guarded } from './guard.js';
import { freezeGroup, isAlive, signalAll, thawGroup } from './process-group.js';
import { forget, remember } from './started.js';
import { waitFor } from './wait-for.js';

/** How a program is started. */
export interface ProgramOptions {
  /** Added to this process' environment; `undefined` removes a variable. `NODE_OPTIONS` is never inherited. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its arguments: `process.argv` from index 2 on. Default: none. */
  readonly args?: readonly string[];
  /** Options of Node itself, for example `['--max-old-space-size=64']`. */
  readonly execArgv?: readonly string[];
  /** Working folder. Default: that of this process. */
  readonly cwd?: string;
}

/** How a program ended: `code` is `null` when a signal ended it. */
export interface ProgramExit {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  /** The signal; `null` when it ended by itself. */
  readonly signal: NodeJS.Signals | null;
}

/**
 * Starts a JavaScript file in a real Node process that can be killed. It ends when it is stopped, at the latest with this process,
 * however this ends.
 */
export async function spawnProgram(path: string, options: ProgramOptions = {}): Promise<Program> {
  const space = await guarded();
  const args = [...(options.execArgv ?? []), resolve(path), ...(options.args ?? [])];
  const child = space.spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: undefined, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return new Program(path, space, child);
}

/** A running Node program, its output, and faults to inject. Created by `spawnProgram`. */
export class Program {
  /** Every line it printed on standard output so far. */
  readonly lines: string[] = [];
  /** Resolves when it has ended and all its output is in `lines` and `errorLines`. Never rejects. */
  readonly exited: Promise<ProgramExit>;
  /** Every line it printed on standard error so far. */
  readonly errorLines: string[] = [];
  readonly #path: string;
  readonly #guarded: Guarded;
  readonly #child: ChildProcess;
  #isOver = false;
  #stopping: Promise<void> | undefined;

  constructor(path: string, space: Guarded, child: ChildProcess) {
    this.#path = path;
    this.#guarded = space;
    this.#child = child;
    collectLines(child.stdout, this.lines);
    collectLines(child.stderr, this.errorLines);
    // Not 'exit': 'close' is emitted after the pipes were read to their end.
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.#isOver = true;
      return { code, signal };
    });
    remember(this);
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A frozen program is running. */
  get isRunning(): boolean {
    return isAlive(this.#child);
  }

  /**
   * The first line on standard output that contains the string or matches the expression; lines printed before this call count.
   *
   * @throws {Error} the time is over or the program ended without such a line; the message shows the output
   */
  async waitForLine(pattern: string | RegExp, { timeoutMs = 10_000 } = {}): Promise<string> {
    const line = () =>
      this.lines.find((text) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)));
    let hasEnded = false;
    void this.exited.then(() => {
      hasEnded = true;
    });
    const what = `${this.#path} to print ${String(pattern)}`;
    try {
      await waitFor(() => line() !== undefined || hasEnded, { what, timeoutMs });
      const found = line();
      if (found !== undefined) return found;
      const { code, signal } = await this.exited;
      throw new Error(`waited for ${what}, but it ended with ${signal ?? `code ${code}`}`);
    } catch (error) {
      const message = messageOf(error);
      throw new Error(`${message}\nit printed:\n${[...this.lines, ...this.errorLines].slice(-50).join('\n')}`, {
        cause: error,
      });
    }
  }

  /** Sends a signal (default SIGKILL) to the program and all that it started in its group; resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<ProgramExit> {
    // Processes that it left behind hold its output open: until they close it, its group is not empty.
    if (!this.#isOver) signalAll(this.#child, signal);
    return this.exited;
  }

  /** SIGSTOP: the process hangs and its connections stay open. Resolves when it is stopped. */
  async freeze(): Promise<void> {
    await freezeGroup(this.#child);
  }

  /** SIGCONT: continues after `freeze` as if no time had passed. */
  thaw(): void {
    thawGroup(this.#child);
  }

  /** Kills it if it still runs. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.kill().then(async () => {
      await this.#guarded.release();
      forget(this);
    });
    return this.#stopping;
  }
}

function collectLines(stream: NodeJS.ReadableStream | null, lines: string[]): void {
  if (stream === null) return;
  createInterface({ input: stream }).on('line', (line) => lines.push(line));
}
