import { existsSync } from 'node:fs';
import { onPath, run, succeeds } from './run.mjs';
import { SetupError } from './setup-error.mjs';

const oldest = { redis: [7, 0], valkey: [7, 2] };

/** Package managers, and what the server is called there: the first name that can be installed is taken. */
const packageManagers = [
  {
    program: 'apt-get',
    refresh: ['update', '-qq'],
    install: ['install', '-y', '--no-install-recommends'],
    packages: ['redis-server', 'valkey-server'],
  },
  { program: 'dnf', install: ['install', '-y'], packages: ['valkey', 'redis'] },
  { program: 'yum', install: ['install', '-y'], packages: ['valkey', 'redis'] },
  { program: 'apk', install: ['add', '--no-cache'], packages: ['valkey', 'redis'] },
  { program: 'pacman', install: ['-Sy', '--noconfirm'], packages: ['valkey', 'redis'] },
  { program: 'zypper', install: ['--non-interactive', 'install'], packages: ['valkey', 'redis'] },
  { program: 'brew', install: ['install'], packages: ['redis', 'valkey'], asUser: true },
];
const needed = 'Redis 7.0 or newer, or Valkey 7.2 or newer';

/**
 * Makes sure that there is a Redis (or Valkey) server program. `REDIS_URL` will do where a running server is enough: tests
 * start, stop and kill servers of their own, so they need the program.
 */
export function provideRedis(say, { urlWillDo }) {
  if (urlWillDo && process.env.REDIS_URL) return;
  const problem = problemOfInstalled();
  if (problem === undefined) return;
  installServer(say, problem);
  const problemNow = problemOfInstalled();
  if (problemNow !== undefined) throw new SetupError(`${problemNow} Install ${needed}, and try again.`);
}

/** What is wrong with the server on PATH, in a sentence; undefined when nothing is. */
function problemOfInstalled() {
  const binary = process.env.MILLRACE_REDIS_BINARY ?? onPath('redis-server') ?? onPath('valkey-server');
  if (binary === undefined) return `Millrace needs a server, ${needed}, and none is installed.`;
  const text = run(binary, ['--version']);
  const [, major = 0, minor = 0] = (/v=(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  const kind = /valkey/i.test(text) ? 'valkey' : 'redis';
  const [oldestMajor, oldestMinor] = oldest[kind];
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `${binary} is version ${major}.${minor}; Millrace needs ${needed}.`;
}

function installServer(say, problem) {
  const manager = packageManagers.find(({ program }) => onPath(program) !== undefined);
  if (manager === undefined) {
    throw new SetupError(
      `${problem} No package manager is known here: install redis-server or valkey-server, and try again.`,
    );
  }
  const prefix = rootPrefix(manager, problem);
  say(`${problem} Installing one with ${manager.program}.`);
  const call = (args) => {
    const [command, ...rest] = [...prefix, manager.program, ...args];
    // A package that starts a service by itself is told not to (System V init); systemd is dealt with below.
    run(command, rest, { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } });
  };
  if (manager.refresh !== undefined) call(manager.refresh);
  const errors = manager.packages.map((name) => tryInstall(call, manager, name));
  if (errors.every((error) => error !== undefined)) throw errors[0];
  if (existsSync('/run/systemd/system')) stopServices(prefix);
}

/** Installs one package unless an earlier one was; answers what went wrong. */
function tryInstall(call, manager, name) {
  if (onPath('redis-server') || onPath('valkey-server')) return undefined;
  try {
    call([...manager.install, name]);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Nobody asked for a server on the standard port: only the program is wanted. */
function stopServices(prefix) {
  for (const service of ['redis-server', 'redis', 'valkey-server', 'valkey']) {
    const [command, ...args] = [...prefix, 'systemctl', 'disable', '--now', service];
    succeeds(command, args);
  }
}

function rootPrefix(manager, problem) {
  if (manager.asUser || process.getuid?.() === 0) return [];
  if (onPath('sudo') && succeeds('sudo', ['-n', 'true'])) return ['sudo', '-n'];
  const command = ['sudo', manager.program, ...manager.install, manager.packages[0]].join(' ');
  throw new SetupError(`${problem} Installing one needs root: run "${command}", and try again.`);
}
