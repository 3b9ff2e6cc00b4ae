import { describe, it } from '@jest/globals';

const isCluster = process.env.MILLRACE_TEST_ON === 'cluster';

/** All that is not tested where the suites run on a cluster, and why. */
const reasons = {
  proxy: 'the proxy that cuts its connections stands before one address, and a cluster redirects clients to its own',
  monitor: "MONITOR and the clock that marks its beginning and end are one node's",
  pause: 'CLIENT PAUSE stops one node',
  acl: 'ACL SETUSER changes the user of one node',
  replicaof: 'REPLICAOF is not for a cluster',
  'all-or-nothing': 'on a cluster a publish is one script a slot',
  'together-write': 'each node of a cluster is written to by itself',
  handles: "a cluster's client opens and closes connections of its own",
  'together-fetch': 'on a cluster each partition is asked by itself',
} as const;

/** A test of something that only one server has. Where the suites run on a cluster it is skipped, and its name says why. */
export function onOneServer(reason: keyof typeof reasons) {
  const named = (name: string): string => (isCluster ? `${name} (one server only: ${reasons[reason]})` : name);
  return {
    it: (name: string, test: () => Promise<void>, timeoutMs?: number): void =>
      (isCluster ? it.skip : it)(named(name), test, timeoutMs),
    describe: (name: string, tests: () => void): void => (isCluster ? describe.skip : describe)(named(name), tests),
  };
}
