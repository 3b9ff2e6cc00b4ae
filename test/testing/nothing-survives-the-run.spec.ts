import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Program, spawnProgram, stopEverything, waitFor } from '@millrace/testing';

interface Started {
  readonly pids: number[];
  /** The folder that holds all temporary ones. */
  readonly folder: string;
}

describe('a process that started servers', () => {
  let kept: string;
  beforeAll(() => {
    kept = mkdtempSync(join(tmpdir(), 'kept-by-the-caller-'));
  });
  afterAll(async () => {
    await stopEverything();
    rmSync(kept, { recursive: true });
  });

  it.each(['is killed with SIGKILL', 'throws', 'exits', 'stops them'])(
    'leaves nothing behind when it %s',
    async (how) => {
      // given: servers (one frozen), a replica, a program that ignores SIGTERM, and a server in a folder of the caller's
      const ending = { throws: 'throw', exits: 'exit', 'stops them': 'stop' }[how] ?? 'wait';
      const program = await spawnProgram('test/programs/starts-servers.mjs', { args: [ending, kept] });
      const started = await whatItStarted(program);
      expect(started.pids).toHaveLength(5);

      // when
      if (ending === 'wait') {
        expect(started.pids.filter(isRunning)).toEqual(started.pids);
        await program.kill('SIGKILL');
      }
      await program.exited;

      // then: no process and no temporary folder, while the caller's own folder keeps its data
      await waitFor(() => !started.pids.some(isRunning), { what: `processes ${started.pids.join(', ')} to be gone` });
      await waitFor(() => !isLeft(started.folder), { what: `folder ${started.folder} to be gone` });
      expect(readdirSync(kept)).toContain('appendonlydir');
    },
  );
});

async function whatItStarted(program: Program): Promise<Started> {
  return JSON.parse(await program.waitForLine('{', { timeoutMs: 20_000 }));
}

/** The guard first renames its folder, so both names must be gone. */
function isLeft(folder: string): boolean {
  return existsSync(folder) || existsSync(`${folder}.gone`);
}

/** False for a zombie (`Z`): a process that is dead, which its parent has not noticed yet. */
function isRunning(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}
