import { spawnSync } from 'node:child_process';

export interface Process {
  readonly pid: number;
  readonly command: string;
}

/** What a process has started and that still runs. */
export function childrenOf(parent: number | undefined): Process[] {
  return ps(['-eo', 'pid=,ppid=,args='])
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => Number(match?.[2]) === parent)
    .map((match) => ({ pid: Number(match?.[1]), command: match?.[3] ?? '' }));
}

/** False for a zombie (`Z`): a process that is dead, which its parent has not noticed yet. */
export function isRunning({ pid }: Process): boolean {
  const [state = ''] = ps(['-o', 'stat=', '-p', String(pid)]);
  return state !== '' && !state.startsWith('Z');
}

function ps(args: readonly string[]): string[] {
  return spawnSync('ps', args, { encoding: 'utf8' }).stdout.split('\n');
}
