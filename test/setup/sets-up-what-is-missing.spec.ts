import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A machine as far as set-up can see it: what is on its PATH. */
let bin: string;
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'millrace-bin-'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));

describe('set-up', () => {
  it('says in one sentence what to install where there is neither Redis nor a known package manager', async () => {
    const { code, stdout, stderr } = await node(['scripts/setup.mjs', 'redis']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Millrace needs a server, .*install redis-server or valkey-server, and try again\.\n$/);
  });

  it('installs a server with the package manager that is there, once', async () => {
    // given
    await offers('redis-server', '5:7.0.15-1');
    await program('apt-get', `echo "$@" >> ${bin}/calls; case "$1" in install) ${makesServer}; esac`);
    // when
    const first = await node(['scripts/setup.mjs', 'redis']);
    const second = await node(['scripts/setup.mjs', 'redis']);
    // then
    expect(first).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^.* Installing one with apt-get\.\n$/),
    });
    expect(second).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await readFile(join(bin, 'calls'), 'utf8')).toBe(
      'update -qq\ninstall -y --no-install-recommends redis-server\n',
    );
  });

  it('shows what the package manager said when it fails', async () => {
    await program('apt-get', 'echo no space left on device; exit 100');
    const { code, stderr } = await node(['scripts/setup.mjs', 'redis']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/apt-get update -qq" failed:\nno space left on device/);
  });

  it('installs nothing where the package manager has only versions that are too old', async () => {
    await offers('redis-server', '5:6.0.16-1ubuntu1');
    await program('apt-get', `case "$1" in install) ${makesServer}; esac`);
    const { code, stderr } = await node(['scripts/setup.mjs', 'redis']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Millrace needs a server, .*, and apt-get offers only older ones: install a newer one .*\n$/,
    );
    expect(existsSync(join(bin, 'redis-server'))).toBe(false);
  });

  it('says which command to run where it may not install anything', async () => {
    await program('sudo', 'exit 1');
    await program('apt-get', 'exit 100');
    const { code, stderr } = await node(['scripts/setup.mjs', 'redis'], {}, { uid: 65534 });
    expect(code).toBe(1);
    expect(stderr).toMatch(/: run "sudo apt-get install -y --no-install-recommends redis-server", and try again\.\n$/);
  });

  it('hands its settings on through sudo, which keeps no environment', async () => {
    await offers('redis-server', '5:7.0.15-1');
    await program('apt-get', `case "$1" in install) ${makesServer}; esac`);
    await program(
      'sudo',
      `printf "%s\\n" "$*" >> ${bin}/calls; [ "$2" = env ] || exit 0; while [ "$1" != apt-get ]; do shift; done; "$@"`,
    );
    expect(await node(['scripts/setup.mjs', 'redis'], {}, { uid: 65534 })).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(bin, 'calls'), 'utf8')).toContain('-n env DEBIAN_FRONTEND=noninteractive');
  });

  it('refuses a server that is too old, and leaves it and its service alone', async () => {
    await program('apt-get', `echo "$@" >> ${bin}/calls`);
    await program('systemctl', `echo "$@" >> ${bin}/calls`);
    await program('redis-server', 'echo Redis server v=6.2.7 sha=0');
    const { code, stderr } = await node(['scripts/setup.mjs', 'redis']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /redis-server is version 6\.2: install Redis 7\.0 or newer, or Valkey 7\.2 or newer, or name its program in MILL/,
    );
    expect(existsSync(join(bin, 'calls'))).toBe(false);
  });

  it('takes REDIS_URL for a start, which needs no server of its own', async () => {
    const needs = ['scripts/setup.mjs', 'redis-or-url'];
    expect(await node(needs, { REDIS_URL: 'redis://somewhere:6379' })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await node(needs)).code).toBe(1);
  });

  it.each([
    ['20.18.3', /needs Node\.js 20\.19 or newer, and this is 20\.18\.3/],
    ['18.20.0', /needs Node\.js 20\.19 or newer/],
  ])('refuses Node.js %s', async (version, message) => {
    const check = `import('./scripts/setup/node-version.mjs').then((m) => m.checkNodeVersion('${version}'))`;
    expect((await node(['--eval', check])).stderr).toMatch(message);
  });

  it.each(['20.19.0', '22.0.0'])('accepts Node.js %s', async (version) => {
    const check = `import('./scripts/setup/node-version.mjs').then((m) => m.checkNodeVersion('${version}'))`;
    expect(await node(['--eval', check])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

/** What `apt-get install` does, as far as set-up can see. */
const makesServer =
  'printf "#!/bin/sh\\necho Redis server v=7.0.15\\n" > "$BIN/redis-server"; /bin/chmod +x "$BIN/redis-server";';

/** Makes apt offer one package in this version, and no other. */
async function offers(name: string, version: string): Promise<void> {
  await program(
    'apt-cache',
    `[ "$2" != ${name} ] || printf '${name}:\\n  Installed: (none)\\n  Candidate: ${version}\\n'`,
  );
}

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

/** Runs Node in the repository with nothing but `bin` on its PATH; it takes itself for the user `uid`. */
function node(
  args: string[],
  env: Record<string, string> = {},
  { uid = 0 } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const user = ['--import', `data:text/javascript,process.getuid=()=>${uid}`];
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...user, ...args],
      { cwd: root, env: { PATH: bin, BIN: bin, ...env } },
      (error, stdout, stderr) => {
        done({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
      },
    );
  });
}
