import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerPlace, type TlsFiles, tlsSettings } from './redis-options.js';
import type { Replicated } from './replicated.js';
import { Sentinels, sentinelName } from './sentinels.js';
import { startServer, type ToArguments } from './start-server.js';
import { orStop, startTogether } from './started.js';

/** A failover that takes longer is given up, and another one may begin after twice that time. */
const failoverTimeoutMs = 4000;

/** The options of Sentinels. */
export interface SentinelOptions {
  /** The number of Sentinels. Default 3, the minimum that survives the loss of one. */
  readonly count?: number;
  /**
   * How long the primary may be unreachable before it counts as down, in milliseconds. Default 2000; Redis' own is 30 000. With less than
   * a second a primary that Sentinel has only just discovered may count as down before its first ping, and a busy machine is enough to
   * make it count as down.
   */
  readonly downAfterMs?: number;
  /** The password of each Sentinel, for its clients and the other Sentinels. Default: none. */
  readonly password?: string | undefined;
  /** Their password for the servers that they monitor. Default: the servers' own. */
  readonly authPassword?: string | undefined;
  /** Use TLS, also to the monitored servers. Default: no. */
  readonly tls?: TlsFiles | undefined;
  /** Further lines of their configuration. */
  readonly lines?: readonly string[];
}

/** Starts Sentinels that monitor `watched` and fail over automatically, and waits until they know each other. */
export async function startSentinels(watched: Replicated, options: SentinelOptions = {}): Promise<Sentinels> {
  const { count = 3, downAfterMs = 2000, password, authPassword = watched.password, tls, lines = [] } = options;
  const toArguments: ToArguments = (resolved, place) => {
    const path = join(place.dir, 'sentinel.conf');
    const rest = configuration(place, watched, { quorum: Math.floor(count / 2) + 1, downAfterMs });
    const own = Object.entries(tlsSettings(resolved, place)).map(([name, value]) => `${name} ${value}`);
    if (password !== undefined) own.push(`requirepass ${password}`, `sentinel sentinel-pass ${password}`);
    if (authPassword !== undefined) rest.push(`sentinel auth-pass ${sentinelName} ${JSON.stringify(authPassword)}`);
    writeFileSync(path, [...own, ...rest, ...lines, ''].join('\n'));
    return [path, '--sentinel'];
  };
  const servers = await startTogether(
    Array.from({ length: count }, () =>
      startServer({ ...(password === undefined ? {} : { password }), tls }, toArguments),
    ),
  );
  const sentinels = new Sentinels(servers, watched);
  return orStop([sentinels], async () => {
    await sentinels.waitUntilReady();
    return sentinels;
  });
}

function configuration(
  { port, dir }: ServerPlace,
  { primary }: Replicated,
  { quorum, downAfterMs }: { quorum: number; downAfterMs: number },
): string[] {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${JSON.stringify(dir)}`,
    `sentinel monitor ${sentinelName} ${primary.host} ${primary.peerPort} ${quorum}`,
    `sentinel down-after-milliseconds ${sentinelName} ${downAfterMs}`,
    `sentinel failover-timeout ${sentinelName} ${failoverTimeoutMs}`,
  ];
}
