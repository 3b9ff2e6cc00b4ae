import type { BenchOptions } from './options.js';
import type { Scenario } from './scenario.js';
import { type ServerKind, serverOf } from './server-kind.js';
import type { Servers } from './servers.js';

/** Who is measured. */
export function presentSubjects(scenario: Scenario, options: BenchOptions, servers: Servers): string[] {
  const absent = absentSubjects(scenario, options, servers);
  return Object.keys(scenario.subjects).filter((subject) => !(subject in absent));
}

/** Who is not measured, and why. */
export function absentSubjects(scenario: Scenario, options: BenchOptions, servers: Servers): Record<string, string> {
  const entries = Object.keys(scenario.subjects).flatMap((subject) => {
    const why = whyAbsent(subject, scenario, options) ?? whyNoServer(subject, servers);
    return why === undefined ? [] : [[subject, why] as const];
  });
  return Object.fromEntries(entries);
}

/** The servers that the chosen scenarios and subjects would need and that are not here, and why. */
export function missingServers(options: BenchOptions, servers: Servers): Partial<Record<ServerKind, string>> {
  const wanted = options.scenarios.flatMap((scenario) =>
    Object.keys(scenario.subjects).filter((subject) => whyAbsent(subject, scenario, options) === undefined),
  );
  const entries = wanted.flatMap((subject) => {
    const why = whyNoServer(subject, servers);
    return why === undefined ? [] : [[serverOf(subject), why] as const];
  });
  return Object.fromEntries(entries);
}

function whyAbsent(subject: string, scenario: Scenario, { subjects, quick }: BenchOptions): string | undefined {
  if (subjects !== undefined) return subjects.includes(subject) ? undefined : 'not among --subjects';
  return quick && !isQuick(subject, scenario) ? 'left out of quick runs' : undefined;
}

function whyNoServer(subject: string, servers: Servers): string | undefined {
  const server = servers.get(serverOf(subject));
  return 'absent' in server ? server.absent : undefined;
}

const mainSubjects = ['millrace', 'bullmq', 'nestjs-bullmq'];

/** A quick run measures beside them whom a target is held against, if it runs on the Redis that is there anyway. */
function isQuick(subject: string, { results, notWhenQuick = [] }: Scenario): boolean {
  if (notWhenQuick.includes(subject)) return false;
  if (mainSubjects.includes(subject)) return true;
  return serverOf(subject) === 'redis' && results.some(({ targets }) => targets !== undefined && subject in targets);
}
