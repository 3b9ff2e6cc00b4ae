import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { brand, MillraceError, messageOf } from '@millrace/core';
import type { Guarded } from './guard.js';
import { isAlive, killGroup } from './process-group.js';
import { askRedis } from './redis-question.js';
import { waitFor } from './wait-for.js';

/** How one server process is started. */
export interface RedisLaunch {
  readonly binary: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly password?: string | undefined;
  readonly guarded: Guarded;
  /** The file to which the server's output is appended. */
  readonly logPath: string;
  /** How long it may take until it is ready: a large data set takes time to load. */
  readonly startTimeoutMs: number;
}

/** A Redis process did not become ready. The message has the server's output. */
export class RedisStartError extends MillraceError {
  /** Whether another process listens on the port, so that another port may work. */
  readonly portTaken: boolean;

  constructor(message: string, log: string) {
    super(`${message}\n${log === '' ? '(it printed nothing)' : `it printed:\n${log}`}`);
    this.portTaken = /Address already in use|Failed listening on port/.test(log);
  }
}

brand({ RedisStartError });

/**
 * Starts the process and waits until it replies and has loaded its data.
 *
 * @throws {RedisStartError} it ended, or was not ready in time; it does not run then
 */
export async function launchRedis(launch: RedisLaunch): Promise<ChildProcess> {
  const log = openSync(launch.logPath, 'a');
  const printedBefore = readFileSync(launch.logPath).length;
  const child = launch.guarded.spawn(launch.binary, launch.args, { stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  try {
    await waitFor(() => !isAlive(child) || isReady(launch, child.pid), {
      what: `Redis on port ${launch.port} to be ready`,
      timeoutMs: launch.startTimeoutMs,
      intervalMs: 5,
    });
    if (!isAlive(child)) throw new Error(`Redis on port ${launch.port} ended with code ${child.exitCode}`);
    return child;
  } catch (error) {
    await killGroup(child);
    const log = readFileSync(launch.logPath).subarray(printedBefore).toString().trim();
    throw new RedisStartError(messageOf(error), log.slice(-4_000));
  }
}

/** Whether this process (not another one on the same port) replies on the port and has its data in memory. */
async function isReady(launch: RedisLaunch, pid: number | undefined): Promise<boolean> {
  const info = await askRedis(launch, ['INFO']);
  return info.includes(`process_id:${pid}\r\n`) && !/\b(async_)?loading:1/.test(info);
}
