import { randomInt } from 'node:crypto';

/** The environment in which tests with random input use a new seed, in addition to their fixed one. */
export function printFreshSeed() {
  if (process.env.MILLRACE_FUZZ_SEED !== undefined) return {};
  const seed = String(randomInt(2 ** 31));
  console.log(`Fresh fuzz seed: ${seed} (this one alone: MILLRACE_FUZZ_SEED=${seed})`);
  return { MILLRACE_FRESH_FUZZ_SEED: seed };
}
