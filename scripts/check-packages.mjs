// npm run check:packages: packs every lib, and has publint and attw check the tarballs: that `import`, `require` and each way in which
// TypeScript resolves types find the files that are meant for them. Ends with 1 when one of them finds a problem.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from './setup/packages.mjs';
import { run } from './setup/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Installed on first use, not with the other packages, since only this command uses it.
const folder = join(root, '.millrace/packages');
mkdirSync(folder, { recursive: true });
for (const name of ['package.json', 'package-lock.json'])
  copyFileSync(join(root, 'scripts/packages', name), join(folder, name));
installPackages(folder, () => console.log('Installing publint and attw (npm ci).'));

const packed = mkdtempSync(join(tmpdir(), 'millrace-packed-'));
process.on('exit', () => rmSync(packed, { recursive: true, force: true }));
const libs = readdirSync(join(root, 'libs')).map((lib) => join(root, 'libs', lib));
run('npm', ['pack', '--pack-destination', packed, ...libs], { cwd: root });
for (const tarball of readdirSync(packed)) {
  const isFine = [
    ['publint', '--strict'],
    ['attw', '--no-emoji', '--format', 'ascii'],
  ].every((tool) => check(tool, join(packed, tarball)));
  console.log(`${tarball}: ${isFine ? 'no problems' : 'has the problems above'}`);
  if (!isFine) process.exitCode = 1;
}

/** Whether the tool finds nothing; its output is only shown when it does. */
function check([tool, ...options], tarball) {
  const program = join(folder, 'node_modules/.bin', tool);
  const { status, stdout, stderr } = spawnSync(program, [tarball, ...options], { encoding: 'utf8' });
  if (status !== 0) console.log(`${tool}:\n${stdout}${stderr}`);
  return status === 0;
}
