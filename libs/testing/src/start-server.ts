import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { assertUnused } from './data-folder.js';
import { freePort } from './free-port.js';
import { type Guarded, guarded } from './guard.js';
import { findRedisBinary } from './redis-binary.js';
import {
  type RedisServerOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
  type ServerPlace,
} from './redis-options.js';
import { launchRedis, RedisStartError } from './redis-process.js';
import { RedisServer } from './redis-server.js';

/** Creates the command line of a server of one kind, once its port and folder are known; may write files into the folder. */
export type ToArguments = (options: ResolvedRedisOptions, place: ServerPlace) => string[];

/** Starts a server process of any kind: see `startRedis` and `startSentinels`. */
export async function startServer(options: RedisServerOptions, toArguments: ToArguments): Promise<RedisServer> {
  const resolved = resolveRedisOptions(options);
  const binary = (await findRedisBinary(resolved.binary)).path;
  const space = await guarded();
  try {
    return await startOnPort(resolved, toArguments, binary, space);
  } catch (error) {
    await space.release();
    throw error;
  }
}

/** Another process may take a free port before the server does: then another one is tried. */
async function startOnPort(
  options: ResolvedRedisOptions,
  toArguments: ToArguments,
  binary: string,
  space: Guarded,
): Promise<RedisServer> {
  const dir = options.dir === undefined ? join(space.folder, 'data') : resolve(options.dir);
  mkdirSync(dir, { recursive: true });
  if (options.dir !== undefined) await assertUnused(dir);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const clusterPort = await chooseClusterPort(options);
    const tlsPort = options.tls === undefined ? undefined : await freePort();
    const setup = {
      binary,
      args: toArguments(options, { dir, port, clusterPort, tlsPort }),
      port,
      password: options.password,
      guarded: space,
      logPath: join(space.folder, 'log'),
      startTimeoutMs: options.startTimeoutMs,
      dir,
      clusterPort,
      tlsPort,
      keepsDir: options.dir !== undefined,
      hasAof: options.aof !== false,
    };
    try {
      return new RedisServer(setup, await launchRedis(setup));
    } catch (error) {
      const tryAgain = error instanceof RedisStartError && error.portTaken && options.port === undefined;
      if (!tryAgain || attempt === 10) throw error;
    }
  }
}

/** Redis' default for the cluster bus is 10 000 above the client port, which is taken more often than a port that was just found free. */
async function chooseClusterPort({ config }: ResolvedRedisOptions): Promise<number | undefined> {
  if (config['cluster-enabled'] !== 'yes') return undefined;
  const given = config['cluster-port'];
  return given === undefined ? freePort() : Number(given);
}
