import { existsSync } from 'node:fs';
import { onPath, succeeds } from './run.mjs';

const services = ['redis-server', 'redis', 'valkey-server', 'valkey'];

/**
 * Runs `install` so that no service which it brings is started, now or at the next boot: only the program is wanted, and
 * nobody asked for a server on the standard port. A service that was there before is the user's own and is left alone.
 */
export function withoutServices(prefix, install, { hasSystemd = existsSync('/run/systemd/system') } = {}) {
  const call = (...words) => {
    const [command, ...args] = [...prefix, ...words];
    return succeeds(command, args);
  };
  if (hasSystemd && onPath('systemctl') !== undefined) return withoutUnits(call, install);
  const strangers = services.filter((service) => !existsSync(`/etc/init.d/${service}`));
  // Debian's scripts ask for the runlevel before they start anything; in 1, services stand still.
  const result = install({ RUNLEVEL: '1' });
  for (const service of strangers) call('update-rc.d', service, 'disable');
  return result;
}

/** A masked unit cannot be started, not even by the package's own scripts. This mask is gone at the latest with the next boot. */
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
