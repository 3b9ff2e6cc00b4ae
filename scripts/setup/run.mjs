import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './setup-error.mjs';

/** Runs a program quietly; its output is only shown when it fails. */
export function run(command, args, { cwd, env } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.status === 0) return result.stdout;
  const printed = [result.stdout, result.stderr, result.error?.message].filter(Boolean).join('\n').trim();
  throw new SetupError(`"${[command, ...args].join(' ')}" failed:\n${ends(printed)}`);
}

/** Some programs print the error first and much output after it (npm), others last (compilers). */
function ends(text) {
  const lines = text.split('\n');
  return lines.length <= 40 ? text : [...lines.slice(0, 20), '…', ...lines.slice(-20)].join('\n');
}

/** Whether a program succeeds; its output is ignored. */
export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** The output of a program, whether it succeeds or not. */
export function output(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout ?? '';
}

/** The full path of a program on PATH, or undefined. */
export function onPath(program, path = process.env.PATH ?? '') {
  return path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
