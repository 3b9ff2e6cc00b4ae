// npm run release -- minor: sets versions, CHANGELOG and lock file, commits and tags. The tag's workflow publishes, this script does not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from './setup/packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
// Installed on first use, not with the other packages, since only this command uses it.
const folder = join(root, '.millrace/release');
mkdirSync(folder, { recursive: true });
for (const name of ['package.json', 'package-lock.json'])
  copyFileSync(join(root, 'scripts/release', name), join(folder, name));
installPackages(folder, () => console.log('Installing release-it (npm ci).'));
const program = join(folder, 'node_modules/release-it/bin/release-it.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;
