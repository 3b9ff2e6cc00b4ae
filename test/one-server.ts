import { describe, it } from '@jest/globals';

const isCluster = process.env.MILLRACE_TEST_ON === 'cluster';

/** A test of something that only one server has, `reason`. Where the suites run on a cluster it is skipped, and its name says why. */
export function onOneServer(reason: string) {
  const named = (name: string): string => (isCluster ? `${name} (one server only: ${reason})` : name);
  return {
    it: (name: string, test: () => Promise<void>, timeoutMs?: number): void =>
      (isCluster ? it.skip : it)(named(name), test, timeoutMs),
    describe: (name: string, tests: () => void): void => (isCluster ? describe.skip : describe)(named(name), tests),
  };
}
