import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@millrace/testing';
import { FakeRoot } from './fake-root.js';

/** Passes everywhere but on `broken`, and is skipped on a cluster. */
const ofALog = (broken: string) => `
  const on = process.env.MILLRACE_TEST_ON ?? 'one server';
  (on === 'cluster' ? test.skip : test)('only one server has it', () => {});
  test('a', () => { if (on === '${broken}') throw new Error(on); });`;

/** A test that does not end before Jest does. It writes down its process and the one above: one of them is Jest's. */
const endless = (pids: string) => `
  test('a', () => {
    process.once('disconnect', () => process.exit());
    require('node:fs').writeFileSync('${pids}', process.pid + ' ' + process.ppid);
    return new Promise(() => {});
  }, 600_000);`;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('all suites, one after the other', () => {
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write('test/queue/b.spec.cjs', "test('b', () => {});");
    root.write('test/nest/c.spec.cjs', "test('c', () => {});");
  });
  afterEach(() => root.remove());

  it('are everything on one server, then log and queue on a cluster and under the documented rights', () => {
    root.write('test/log/a.spec.cjs', ofALog('nowhere'));
    const { lines, status } = root.run('scripts/ci.mjs');
    const sums = lines.filter((line) => line.includes('minutes')).map((line) => line.replace(/\(.*\)/, ''));
    expect(sums).toEqual([
      'npm run test: 4 passed, 0 failed ',
      'npm run test:cluster: 2 passed, 0 failed, 1 skipped ',
      'npm run test:acl: 3 passed, 0 failed ',
    ]);
    expect(lines.slice(-2)).toEqual(['0 unsteady', '9 passed, 0 failed, 1 skipped']);
    expect(lines).toContain('Skipped: only one server has it');
    expect(status).toBe(0);
  });

  it('fail when one of them does', () => {
    root.write('test/log/a.spec.cjs', ofALog('acl'));
    const { lines, status } = root.run('scripts/ci.mjs');
    expect(lines.at(-1)).toBe('8 passed, 1 failed, 1 skipped');
    expect(status).toBe(1);
  });

  it('end with a signal: Jest is killed, and no other suite begins', async () => {
    // given a suite that does not end by itself
    const pids = join(root.path, 'pids');
    root.write('test/log/a.spec.cjs', endless(pids));
    const ci = root.start('scripts/ci.mjs');
    let printed = '';
    ci.stdout.on('data', (text) => {
      printed += text;
    });
    const ended = once(ci, 'close');
    await waitFor(() => existsSync(pids), { what: 'the spec to run', timeoutMs: 20_000 });
    // when
    ci.kill('SIGTERM');
    // then
    expect(await ended).toEqual([143, null]);
    expect(printed).not.toContain('npm run test:cluster');
    expect(printed.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
    const left = () =>
      readFileSync(pids, 'utf8')
        .split(' ')
        .filter((pid) => isRunning(Number(pid)));
    await waitFor(() => left().length === 0, { what: 'Jest to be gone' });
  });

  it('run against each of the servers that are named, with a line for each and one sum', () => {
    root.write('test/log/a.spec.cjs', "test('a', () => { if (!process.env.MILLRACE_REDIS_BINARY) throw 1; });");
    const servers = [root.server('one', 'Redis server v=7.4.1 x'), root.server('two', 'Valkey server v=9.1.2 x')];
    const { lines, status } = root.run('scripts/test-servers.mjs', ...servers);
    expect(lines.slice(-4)).toEqual([
      'Redis 7.4.1: 7 passed, 0 failed',
      'Valkey 9.1.2: 7 passed, 0 failed',
      '0 unsteady',
      '14 passed, 0 failed',
    ]);
    expect(status).toBe(0);
  });

  it('are not run against a server that is too old, or against none', () => {
    const old = root.server('old', 'Redis server v=6.2.0 x');
    const run = root.run('scripts/test-servers.mjs', old);
    expect(run.errors).toContain('version 6.2: install Redis 7.0 or newer');
    expect([run.lines.at(-1), run.status]).toEqual(['0 passed, 1 failed', 1]);
    const none = root.run('scripts/test-servers.mjs');
    expect(none.errors).toContain('Name the servers: npm run test:servers --');
    expect([none.lines.at(-1), none.status]).toEqual(['0 passed, 1 failed', 1]);
  });
});
