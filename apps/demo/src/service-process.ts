import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { guarded } from '@millrace/testing';
import { type LogLine, readLogLine } from './log-line.js';

/** Where a service that is ready says it listens. */
const address = / on (http:\/\/\S+:\d+)/;
const linesKept = 20;
/** Node 22 and newer keep there what they have compiled; a start took about a tenth less processor time with it (Node 22.23). */
const compileCache = resolve(import.meta.dirname, '../../../.millrace/compile-cache');

/** One service in a process of its own. It is gone at the latest when this process is, however that ends. */
export class ServiceProcess {
  /** The service's address. Rejects when it ended before it told one; the error shows what it printed. */
  readonly ready: Promise<string>;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #last: string[] = [];

  static async start(
    name: string,
    env: Readonly<Record<string, string>>,
    onLine: (line: LogLine) => void,
  ): Promise<ServiceProcess> {
    const { spawn, release } = await guarded();
    const program = resolve(import.meta.dirname, `../../${name}/dist/main.js`);
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: compileCache, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServiceProcess(name, child, release, onLine);
  }

  private constructor(
    readonly name: string,
    child: ChildProcess,
    release: () => Promise<void>,
    onLine: (line: LogLine) => void,
  ) {
    this.#child = child;
    this.ended = once(child, 'close').then(async ([code, signal]: (number | string | null)[]) => {
      await release();
      return signal === null ? `exit code ${code}` : String(signal);
    });
    this.ready = new Promise((found, failed) => {
      const read = (text: string): void => {
        this.#last.push(text);
        if (this.#last.length > linesKept) this.#last.shift();
        const url = address.exec(text)?.[1];
        if (url !== undefined) found(url);
        onLine(readLogLine(text));
      };
      for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', read);
      void this.ended.then((how) => failed(new Error(`${name} ended (${how}). It printed:\n${this.#last.join('\n')}`)));
    });
    this.ready.catch(() => undefined);
  }

  /** Asks it to drain and end, and kills it when it has not after `deadlineMs`. Answers whether it ended by itself. */
  async stop(deadlineMs: number): Promise<boolean> {
    const { ended } = this;
    this.#child.kill('SIGTERM');
    const isOver = new AbortController();
    const late = sleep(deadlineMs, true, { signal: isOver.signal }).catch(() => false);
    const isLate = await Promise.race([ended.then(() => false), late]);
    isOver.abort();
    if (isLate) this.#child.kill('SIGKILL');
    await ended;
    return !isLate;
  }
}
