import { existsSync } from 'node:fs';
import { onPath, succeeds } from './run.mjs';

const services = ['redis-server', 'redis', 'valkey-server', 'valkey'];

/**
 * Runs `install` so that none of its services is started, now or at the next boot: only the program is needed, not a server on the
 * standard port. A service that existed before belongs to the user and is not changed.
 */
export function withoutServices(prefix, install, { hasSystemd = existsSync('/run/systemd/system') } = {}) {
  const call = (...words) => {
    const [command, ...args] = [...prefix, ...words];
    return succeeds(command, args);
  };
  if (hasSystemd && onPath('systemctl') !== undefined) return withoutUnits(call, install);
  const strangers = services.filter((service) => !existsSync(`/etc/init.d/${service}`));
  // Debian's scripts read the runlevel before they start anything; in runlevel 1 they start no services.
  const result = install({ RUNLEVEL: '1' });
  for (const service of strangers) call('update-rc.d', service, 'disable');
  return result;
}

/** A masked unit cannot be started, not even by the package's own scripts. This mask is removed at the next boot at the latest. */
function withoutUnits(call, install) {
  const strangers = services.map((service) => `${service}.service`).filter((unit) => !call('systemctl', 'cat', unit));
  for (const unit of strangers) call('systemctl', 'mask', '--runtime', unit);
  try {
    return install({});
  } finally {
    for (const unit of strangers) {
      call('systemctl', 'unmask', '--runtime', unit);
      call('systemctl', 'disable', unit);
    }
  }
}
