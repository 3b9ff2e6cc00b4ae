/**
 * The supported package managers, and their names of the server, best first.
 *
 * `refresh`: arguments that fetch the lists. `offer`: a command that prints the version it would install, and changes nothing; without
 * one, its versions are known to be new enough. `asUser`: refuses to run as root.
 */
export const packageManagers = [
  {
    program: 'apt-get',
    refresh: ['update', '-qq'],
    offer: ['apt-cache', 'policy'],
    install: ['install', '-y', '--no-install-recommends'],
    packages: ['redis-server', 'valkey-server'],
  },
  { program: 'dnf', offer: ['dnf', '-q', 'info'], install: ['install', '-y'], packages: ['valkey', 'redis'] },
  { program: 'yum', offer: ['yum', '-q', 'info'], install: ['install', '-y'], packages: ['valkey', 'redis'] },
  { program: 'apk', install: ['add', '--no-cache'], packages: ['valkey', 'redis'] },
  { program: 'pacman', install: ['-Sy', '--noconfirm'], packages: ['valkey', 'redis'] },
  {
    program: 'zypper',
    offer: ['zypper', '--non-interactive', 'info'],
    install: ['--non-interactive', 'install'],
    packages: ['valkey', 'redis'],
  },
  { program: 'brew', install: ['install'], packages: ['redis', 'valkey'], asUser: true },
];
