import { packageManagers } from './package-managers.mjs';
import { isNewEnough, needed, offeredVersion, serverVersion } from './redis-version.mjs';
import { onPath, output, run, succeeds } from './run.mjs';
import { withoutServices } from './services.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Ensures that a Redis (or Valkey) server program is installed. `REDIS_URL` is accepted where a running server is enough: tests start,
 * stop and kill their own servers, so they need the program.
 */
export function provideRedis(say, { urlWillDo }) {
  if (urlWillDo && process.env.REDIS_URL) return;
  const binary = installed();
  if (binary === undefined) install(say);
  const present = binary ?? installed();
  if (present === undefined)
    throw new SetupError(`No redis-server is on PATH after the installation: install ${needed}.`);
  // A server that is too old belongs to the user: it is not replaced.
  const text = run(present, ['--version']);
  const version = serverVersion(text);
  if (version !== undefined && isNewEnough(text, version)) return;
  const found = version === undefined ? 'not a Redis server' : `version ${version.major}.${version.minor}`;
  throw new SetupError(`${present} is ${found}: install ${needed}, or name its program in MILLRACE_REDIS_BINARY.`);
}

function installed() {
  return process.env.MILLRACE_REDIS_BINARY || onPath('redis-server') || onPath('valkey-server');
}

function install(say) {
  const url = process.env.REDIS_URL ? ' (REDIS_URL is not enough: tests start and kill their own servers)' : '';
  const problem = `Millrace needs a server, ${needed}, and none is installed${url}`;
  const manager = packageManagers.find(({ program }) => onPath(program) !== undefined);
  if (manager === undefined) {
    throw new SetupError(`${problem}: install redis-server or valkey-server, and try again.`);
  }
  const prefix = rootPrefix(manager, problem);
  say(`${problem}. Installing one with ${manager.program}.`);
  if (manager.refresh !== undefined) runAs(prefix, [manager.program, ...manager.refresh]);
  const packages = manager.packages.filter((name) => offers(manager, name));
  if (packages.length === 0) {
    throw new SetupError(
      `${problem}, and ${manager.program} offers only older ones: install a newer one from redis.io.`,
    );
  }
  withoutServices(prefix, (env) =>
    firstThatWorks(packages, (name) => runAs(prefix, [manager.program, ...manager.install, name], env)),
  );
}

/** Whether the package manager has this package in a supported version. */
function offers({ offer }, name) {
  if (offer === undefined) return true;
  const [command, ...args] = offer;
  const version = offeredVersion(output(command, [...args, name]));
  return version !== undefined && isNewEnough(name, version);
}

/** Tries `packages` until one can be installed; if none can, throws with the reason for the best one. */
function firstThatWorks(packages, installOne) {
  let firstError;
  for (const name of packages) {
    try {
      return installOne(name);
    } catch (error) {
      firstError ??= error;
    }
  }
  throw firstError;
}

/** Runs the package manager without prompts. */
function runAs(prefix, [program, ...args], env) {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', ...env };
  if (prefix.length === 0) return run(program, args, { env: quiet });
  // sudo does not pass the environment on.
  const settings = Object.entries(quiet).map(([name, value]) => `${name}=${value}`);
  const [command, ...rest] = [...prefix, 'env', ...settings];
  return run(command, [...rest, program, ...args]);
}

function rootPrefix(manager, problem) {
  if (manager.asUser || process.getuid?.() === 0) return [];
  if (onPath('sudo') && succeeds('sudo', ['-n', 'true'])) return ['sudo', '-n'];
  const command = ['sudo', manager.program, ...manager.install, manager.packages[0]].join(' ');
  throw new SetupError(`${problem}: run "${command}", and try again.`);
}
