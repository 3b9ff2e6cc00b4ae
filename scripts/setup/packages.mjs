import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, run } from './run.mjs';

/** Installs the locked packages unless they are there. */
export function installPackages(root, say) {
  if (areInstalled(root)) return;
  say('Installing packages (npm ci).');
  // The npm that started us, if it did: it may not be the one on PATH.
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) run(process.execPath, [npm, 'ci'], { cwd: root });
  else run(onPath('npm') ?? 'npm', ['ci'], { cwd: root });
}

/** Compares the lock file with the one npm leaves in node_modules of what it has installed. */
function areInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'));
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const there = installed[path];
    // Optional packages are for other platforms than this one, more often than not.
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
