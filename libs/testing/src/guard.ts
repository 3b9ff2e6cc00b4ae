import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

// No process started here may outlive this process, however it ends: also by kill -9, also while its servers are frozen. So a guard runs
// beside it: a shell in its own session (Ctrl-C does not reach it) that owns a temporary folder and blocks on its standard input. Only
// this process holds the other end of that pipe; when it closes, the guard kills every process with a mark in its folder, and removes the
// folder.
//
// The folder is the only register. A guarded process is started by a shell that first creates the mark `pids/<its own pid>` and then
// execs the program. The guard renames the folder before it reads the marks: from then on no mark can be created, so the program never
// starts. At no time does a process run without a mark.
const guardScript = `
trap '' HUP INT TERM PIPE
PATH="$PATH:/usr/bin:/bin"
umask 077
folder=$(mktemp -d "\${TMPDIR:-/tmp}/millrace-XXXXXXXX") && mkdir "$folder/pids" && echo "$folder" || exit 1
while read -r line; do :; done
gone="$folder.gone"
mv "$folder" "$gone"
cd "$gone/pids" || exit 1
for pid in *; do kill -s KILL -- "-$pid"; done 2>/dev/null
cd /
rm -rf "$gone" || { sleep 0.2; rm -rf "$gone"; }
`;
const startMarked = ': > "$0/pids/$$" && exec "$@"';

/** A private folder and processes that end with their release, or with this process, however it ends. */
export interface Guarded {
  /** An empty folder that only this user can read. */
  readonly folder: string;
  /** Starts a program in its own process group (signals go to the whole group). */
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  /** Removes the folder. The processes must have ended. */
  release(): Promise<void>;
}

let running: Promise<Guard> | undefined;

/** Opens a guarded folder. One guard serves all of them; it starts with the first and ends with the last. */
export async function guarded(): Promise<Guarded> {
  for (;;) {
    running ??= Guard.start();
    const starting = running;
    try {
      const guard = await starting;
      if (running === starting) return guard.open();
    } catch (error) {
      if (running === starting) running = undefined;
      throw error;
    }
  }
}

class Guard {
  readonly #shell: ChildProcessByStdio<Writable, Readable, null>;
  readonly #folder: string;
  #opened = 0;
  #open = 0;

  static async start(): Promise<Guard> {
    const shell = spawn('/bin/sh', ['-c', guardScript, 'millrace-guard'], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [line] = await Promise.race([once(shell.stdout, 'data'), once(shell, 'exit')]);
    if (!Buffer.isBuffer(line)) throw new Error(`no temporary folder could be made in ${tmpdir()}. Is it writable?`);
    return new Guard(shell, line.toString().trim());
  }

  private constructor(shell: ChildProcessByStdio<Writable, Readable, null>, folder: string) {
    this.#shell = shell;
    this.#folder = folder;
    // The guard waits for this process; the guard must not keep this process alive.
    shell.unref();
    for (const pipe of [shell.stdin, shell.stdout]) if (pipe instanceof Socket) pipe.unref();
  }

  open(): Guarded {
    const folder = join(this.#folder, String(++this.#opened));
    mkdirSync(folder);
    this.#open++;
    let released: Promise<void> | undefined;
    return {
      folder,
      spawn: (command, args, options) => this.#spawn(command, args, options),
      release: () => {
        released ??= this.#release(folder);
        return released;
      },
    };
  }

  #spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const child = spawn('/bin/sh', ['-c', startMarked, this.#folder, command, ...args], { ...options, detached: true });
    child.once('exit', () => void rm(join(this.#folder, 'pids', String(child.pid)), { force: true }));
    return child;
  }

  async #release(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    if (--this.#open > 0) return;
    running = undefined;
    this.#shell.ref();
    this.#shell.stdin.end();
    if (this.#shell.exitCode === null && this.#shell.signalCode === null) await once(this.#shell, 'exit');
  }
}
