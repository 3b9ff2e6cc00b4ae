import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stateOf } from './process-state.js';
import { waitFor } from './wait-for.js';

/** Whether the process has not ended yet (a frozen one has not). */
export function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Sends a signal to a process that leads a group, and to all that it started. Does nothing when it has ended. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (isAlive(child)) signalAll(child, signal);
}

/**
 * The same when the leader may have ended before what it started. Somebody of the group must be left: after the last of
 * them, its number may be another's.
 */
export function signalAll(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
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
  const { pid } = child;
  if (pid === undefined || !isAlive(child)) return;
  signalGroup(child, 'SIGSTOP');
  await waitFor(async () => !isAlive(child) || (await stateOf(pid)) === 'T', {
    what: `process ${pid} to be frozen`,
    intervalMs: 1,
  });
}

/** SIGCONT. */
export function thawGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGCONT');
}
