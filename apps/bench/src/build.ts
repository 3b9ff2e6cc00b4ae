import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Place, urlOf } from './place.js';

/** What the scenarios use of a build of Millrace. */
export interface Build {
  readonly Broker: typeof import('@millrace/queue').Broker;
  readonly Events: typeof import('@millrace/delivery').Events;
  readonly Log: typeof import('@millrace/log').Log;
  readonly RedisConnection: typeof import('@millrace/redis').RedisConnection;
}

const libs = ['delivery', 'log', 'queue', 'redis'];
const ownCheckout = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** The build that the bench was made with. */
export async function installedBuild(): Promise<Build> {
  const [{ Events }, { Log }, { Broker }, { RedisConnection }] = await Promise.all([
    import('@millrace/delivery'),
    import('@millrace/log'),
    import('@millrace/queue'),
    import('@millrace/redis'),
  ]);
  return { Broker, Events, Log, RedisConnection };
}

/** The build of another checkout. Its files, and those of its dependencies, are modules of their own in this process. */
export async function buildOf(checkout: string): Promise<Build> {
  const [delivery, log, queue, redis] = await Promise.all(
    libs.map((lib) => import(pathToFileURL(entryOf(checkout, lib)).href)),
  );
  return { Broker: queue.Broker, Events: delivery.Events, Log: log.Log, RedisConnection: redis.RedisConnection };
}

/** An open connection of a build. */
export function connectionOf(
  { RedisConnection }: Build,
  place: Place,
  prefix?: string,
): Promise<InstanceType<Build['RedisConnection']>> {
  return new RedisConnection({ url: urlOf(place, 'redis'), ...(prefix === undefined ? {} : { prefix }) }).open();
}

/** Why a folder cannot be measured against; undefined when it can. */
export function checkoutProblem(checkout: string): string | undefined {
  if (resolve(checkout) === ownCheckout) return `${checkout} is this checkout itself; name another one`;
  const missing = libs.filter((lib) => !existsSync(entryOf(checkout, lib)));
  if (missing.length === 0) return undefined;
  return `${checkout} has no libs/${missing[0]}/dist/index.js; name the root of a checkout, and run "npm run build" in it first`;
}

function entryOf(checkout: string, lib: string): string {
  return join(resolve(checkout), 'libs', lib, 'dist', 'index.js');
}
