import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnProgram, stopEverything, waitFor } from '@millrace/testing';

const echoes = 'test/programs/echoes.mjs';

describe('spawnProgram', () => {
  afterAll(stopEverything);

  it('passes arguments and environment on, and gives back the lines', async () => {
    const program = await spawnProgram(echoes, { args: ['a b', '--c'], env: { GREETING: 'hello', PATH: undefined } });
    expect(await program.waitForLine('args')).toBe('args ["a b","--c"]');
    expect(await program.waitForLine(/^greeting (\w+)$/)).toBe('greeting hello');
    expect(await program.waitForLine('inherited')).toBe('inherited PATH=undefined NODE_OPTIONS=undefined');
  });

  it('says how it ended, with everything it printed', async () => {
    const program = await spawnProgram(echoes, { args: ['exit'] });
    expect(await program.exited).toEqual({ code: 3, signal: null });
    expect(program.lines.at(-1)).toBe('last line, without an end');
    expect(program.errorLines).toEqual(['on standard error']);
    expect(program.isRunning).toBe(false);
  });

  it('sends signals that a program can obey, and SIGKILL', async () => {
    const program = await spawnProgram('test/programs/waits.mjs');
    await program.waitForLine('waiting');
    void program.kill('SIGTERM');
    await program.waitForLine('got SIGTERM');
    expect(program.isRunning).toBe(true);
    expect(await program.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('stands still while it is frozen, and goes on when it is thawed', async () => {
    const program = await spawnProgram('test/programs/waits.mjs');
    await program.waitForLine('waiting');
    await program.freeze();
    void program.kill('SIGTERM');
    await expect(program.waitForLine('got SIGTERM', { timeoutMs: 60 })).rejects.toThrow('waited 60 ms');
    program.thaw();
    await program.waitForLine('got SIGTERM');
  });

  it('is gone with what it left behind, which kept its output open', async () => {
    // given
    const program = await spawnProgram('test/programs/leaves-a-child.mjs');
    const [, left] = (await program.waitForLine('left')).split(' ');
    await waitFor(() => !program.isRunning, { what: 'the program to end' });

    // when
    await program.stop();

    // then
    expect(await program.exited).toEqual({ code: 1, signal: null });
    await waitFor(() => !isAProcess(Number(left)), { what: `process ${left} to be gone` });
  });

  it('shows what was printed when a line never comes', async () => {
    const program = await spawnProgram(echoes, { args: ['exit'] });
    const waiting = program.waitForLine('no such line');
    await expect(waiting).rejects.toThrow('echoes.mjs to print no such line, but it ended with code 3');
    await expect(waiting).rejects.toThrow('on standard error');
  });
});

function isAProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
