import { type Build, buildOf, installedBuild } from '../build.js';
import type { Place } from '../place.js';
import type { OpenQueue } from '../queue-peer.js';

/** The build that the bench was made with, and that of the other checkout. */
export type Side = 'ours' | 'theirs';

/** A queue, or a log. */
export type Source = Omit<OpenQueue, 'publishDelayed'>;

/** Opens one of a build. Its keys begin with `prefix`. */
export type OpenSide = (build: Build, place: Place, prefix: string) => Promise<Source>;

/** Who is first changes from round to round: what is loaded first finds another process, and Redis, than what comes after it. */
export function oursFirst({ round }: Place): boolean {
  return round % 2 === 0;
}

/** Both builds on one Redis, in the order of the round. @throws {Error} `--against` named no other build */
export async function openBoth(place: Place, open: OpenSide): Promise<Map<Side, Source>> {
  const { against } = place;
  if (against === undefined) throw new Error('there is no other build: name its checkout with --against');
  const sides: readonly Side[] = oursFirst(place) ? ['ours', 'theirs'] : ['theirs', 'ours'];
  const sources = new Map<Side, Source>();
  for (const side of sides) {
    const build = side === 'ours' ? await installedBuild() : await buildOf(against);
    sources.set(side, await open(build, place, side));
  }
  return sources;
}
