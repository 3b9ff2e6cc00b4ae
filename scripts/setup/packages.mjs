import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, run } from './run.mjs';

/** Installs the locked packages unless they are there, installed by this script or by `npm install`. */
export function installPackages(root, say) {
  const stampFile = join(root, 'node_modules/.millrace-installed');
  const stamp = stampOf(root);
  if (readText(stampFile) === stamp || areInstalled(root)) return;
  say('Installing packages (npm ci).');
  // The npm that started this script, if any: it may not be the one on PATH.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) run(process.execPath, [npm, 'ci'], { cwd: root });
  else run(onPath('npm') ?? 'npm', ['ci'], { cwd: root });
  writeFileSync(stampFile, stamp);
}

function stampOf(root) {
  const [major] = process.versions.node.split('.');
  return `${createHash('sha256')
    .update(readText(join(root, 'package-lock.json')))
    .digest('hex')} on Node.js ${major}`;
}

/** Compares the lock file with npm's record of the installed packages in node_modules. */
function areInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    // npm keeps entries of packages without dependents; it does not install them.
    if (!path.includes('node_modules/') || entry.extraneous === true) return true;
    const there = installed[path];
    // Most optional packages are for other platforms.
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readText(file)).packages;
  } catch {
    return undefined;
  }
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
