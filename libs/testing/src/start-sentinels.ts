import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerPlace } from './redis-options.js';
import type { Replicated } from './replicated.js';
import { Sentinels, sentinelName } from './sentinels.js';
import { startServer } from './start-server.js';
import { orStop, startTogether } from './started.js';

/** How Sentinels are started. */
export interface SentinelOptions {
  /** Default 3, the least that survive the loss of one. */
  readonly count?: number;
  /** After this silence the primary counts as down, in milliseconds. Default 500; Redis' own is 30 000. */
  readonly downAfterMs?: number;
}

/** Starts Sentinels that watch `watched` and fail over by themselves, and waits until they know each other. */
export async function startSentinels(watched: Replicated, options: SentinelOptions = {}): Promise<Sentinels> {
  const { count = 3, downAfterMs = 500 } = options;
  const toArguments = (_: unknown, place: ServerPlace) => {
    const path = join(place.dir, 'sentinel.conf');
    writeFileSync(path, configuration(place, watched, { quorum: Math.floor(count / 2) + 1, downAfterMs }));
    return [path, '--sentinel'];
  };
  const servers = await startTogether(Array.from({ length: count }, () => startServer({}, toArguments)));
  const sentinels = new Sentinels(servers, watched);
  return orStop([sentinels], async () => {
    await sentinels.waitUntilReady();
    return sentinels;
  });
}

function configuration(
  { port, dir }: ServerPlace,
  { primary, password }: Replicated,
  { quorum, downAfterMs }: { quorum: number; downAfterMs: number },
): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${JSON.stringify(dir)}`,
    `sentinel monitor ${sentinelName} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${sentinelName} ${downAfterMs}`,
    `sentinel failover-timeout ${sentinelName} ${downAfterMs * 4}`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${sentinelName} ${JSON.stringify(password)}`]),
    '',
  ].join('\n');
}
