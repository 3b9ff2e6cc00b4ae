import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One letter, as `ps` shows it (`T`: stopped by a signal, `Z`: a zombie); `undefined` when it is gone. */
export async function stateOf(pid: number): Promise<string | undefined> {
  return (await look(pid))?.state;
}

/** The name of the program that the process runs; `undefined` when it is gone or a zombie. */
export async function commandOf(pid: number): Promise<string | undefined> {
  const found = await look(pid);
  return found?.state === 'Z' ? undefined : found?.command;
}

async function look(pid: number): Promise<{ state: string; command: string } | undefined> {
  try {
    if (process.platform === 'linux') return parseStat(await readFile(`/proc/${pid}/stat`, 'latin1'));
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=,comm=', '-p', String(pid)]);
    const [state = '', ...command] = stdout.trim().split(/\s+/);
    return { state: state.charAt(0), command: command.join(' ') };
  } catch {
    return undefined;
  }
}

/** `<pid> (<command, which may hold anything>) <state> …` */
function parseStat(stat: string): { state: string; command: string } {
  const end = stat.lastIndexOf(')');
  return { state: stat.charAt(end + 2), command: stat.slice(stat.indexOf('(') + 1, end) };
}
