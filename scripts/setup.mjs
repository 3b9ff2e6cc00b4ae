// Installs and builds what is missing, with Node alone; prints one line per step, and nothing when nothing is missing.
// `node scripts/setup.mjs [packages] [redis] [build]`; everything by default.
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './setup/build.mjs';
import { checkNodeVersion } from './setup/node-version.mjs';
import { installPackages } from './setup/packages.mjs';
import { provideRedis } from './setup/redis.mjs';
import { SetupError } from './setup/setup-error.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const steps = {
  packages: () => installPackages(root, say),
  redis: () => provideRedis(say, { urlWillDo: false }),
  'redis-or-url': () => provideRedis(say, { urlWillDo: true }),
  build: () => build(root, say),
};

/** Runs the steps of `needs`, in order. If the user has to act, it prints one sentence and the process ends with 1. */
export function setup(needs) {
  try {
    checkNodeVersion();
    for (const need of needs) steps[need]();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

function say(line) {
  console.log(line);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const needs = process.argv.slice(2);
  setup(needs.length > 0 ? needs : ['packages', 'redis', 'build']);
}
