import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { guarded, waitFor } from '@millrace/testing';

/** A server that the bench started, in a folder of its own. */
export interface OwnServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface OwnServerPlan {
  readonly url: string;
  readonly command: string;
  readonly args: (folder: string) => Promise<readonly string[]> | readonly string[];
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** Resolves when it answers; until then it throws. */
  readonly isReady: () => Promise<unknown>;
  /** A program that it needs, and would start as a daemon that outlives it. */
  readonly beside?: readonly [command: string, ...args: string[]];
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;

/** Starts a server and waits until it answers. It is gone after `stop()`, and at the latest when this process ends, in whatever way. */
export async function startOwnServer(plan: OwnServerPlan): Promise<OwnServer> {
  const space = await guarded();
  const [besideCommand, ...besideArgs] = plan.beside ?? [];
  const beside = besideCommand === undefined ? undefined : space.spawn(besideCommand, besideArgs, { stdio: 'ignore' });
  const child = space.spawn(plan.command, await plan.args(space.folder), {
    cwd: space.folder,
    env: { ...process.env, ...plan.env?.(space.folder) },
    stdio: 'ignore',
  });
  const stop = async (): Promise<void> => {
    await end(child);
    if (beside !== undefined) await end(beside);
    await space.release();
  };
  try {
    const what = `${plan.command} to answer`;
    await waitFor(() => plan.isReady().then(() => true), { what, timeoutMs: startTimeoutMs, intervalMs: 200 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: plan.url, stop };
}

/** The whole group: a start script may have left its server behind it. */
async function end(child: ChildProcess): Promise<void> {
  const group = -(child.pid ?? 0);
  if (group === 0 || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  signal(group, 'SIGTERM');
  const timer = setTimeout(() => signal(group, 'SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
  signal(group, 'SIGKILL');
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(group, name);
  } catch {
    // It has ended already.
  }
}
