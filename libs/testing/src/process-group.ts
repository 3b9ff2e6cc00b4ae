import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { waitFor } from './wait-for.js';

/** Whether the process has not ended yet (a frozen one has not). */
export function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Sends a signal to a process that leads a group, and to all that it started. Does nothing when it has ended. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || !isAlive(child)) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** SIGKILL; resolves when the process is gone. A frozen one goes as well. */
export async function killGroup(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return;
  child.ref();
  const exited = once(child, 'exit');
  signalGroup(child, 'SIGKILL');
  await exited;
}

/** SIGSTOP; resolves when the kernel has really stopped it: a signal that was sent is not yet one that was obeyed. */
export async function freezeGroup(child: ChildProcess): Promise<void> {
  signalGroup(child, 'SIGSTOP');
  await waitFor(async () => !isAlive(child) || (await stateOf(child.pid)) === 'T', {
    what: `process ${child.pid} to be frozen`,
    intervalMs: 1,
  });
}

/** SIGCONT. */
export function thawGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGCONT');
}

/** One letter, as `ps` shows it: `T` is stopped by a signal. */
async function stateOf(pid: number | undefined): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)]);
    return stdout.trim()[0];
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return stat[stat.lastIndexOf(')') + 2];
}
