import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isInstance } from '@millrace/core';
import { stateOf } from './process-state.js';
import { waitFor } from './wait-for.js';

/** Whether the process has not ended yet (a frozen one has not). */
export function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Sends a signal to the leader of a process group, and to all processes that it started. Does nothing when it has ended. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (isAlive(child)) signalAll(child, signal);
}

/**
 * The same when the leader may have ended before the processes that it started. A process of the group must still exist: afterwards
 * another group may have its number.
 */
export function signalAll(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(isInstance(error, Error) && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** SIGKILL; resolves when the process is gone. Also ends a frozen process. */
export async function killGroup(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return;
  child.ref();
  const exited = once(child, 'exit');
  signalGroup(child, 'SIGKILL');
  await exited;
}

/** SIGSTOP; resolves when the kernel has stopped the process, which happens some time after the signal was sent. */
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
