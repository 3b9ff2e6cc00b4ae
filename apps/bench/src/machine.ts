import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { type ServerKind, serverKinds } from './server-kind.js';
import type { Servers } from './servers.js';

/** On what a run was measured: goes into every entry of the JSON, so that none is ever read without it. */
export interface Circumstances {
  /** The commit of this repository; with "+" when files differed from it. */
  readonly commit: string;
  /** The commit of the build that it was measured against, with `--against`. */
  readonly against?: string;
  readonly at: string;
  readonly node: string;
  readonly machine: string;
  readonly servers: Readonly<Partial<Record<ServerKind, string>>>;
  readonly isQuick: boolean;
  /** Load average of the last minute when the run began: above 1, other programs were busy as well. */
  readonly loadAtStart: number;
}

export function circumstances(
  servers: Servers,
  { quick, against }: { readonly quick: boolean; readonly against: string | undefined },
): Circumstances {
  const processors = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return {
    commit: commitOf('.'),
    ...(against === undefined ? {} : { against: commitOf(against) }),
    at: new Date().toISOString(),
    node: process.version,
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}, ${memoryGiB} GiB`,
    servers: Object.fromEntries(
      serverKinds.flatMap((kind) => {
        const server = servers.get(kind);
        return 'absent' in server ? [] : [[kind, server.description]];
      }),
    ),
    isQuick: quick,
    loadAtStart: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

function commitOf(checkout: string): string {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim();
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', 'libs', 'apps');
    return `${git('rev-parse', '--short=12', 'HEAD')}${changes === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
