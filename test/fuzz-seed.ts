/** The same input each run; another with `MILLRACE_FUZZ_SEED=<number>`. A failure shows it. */
export const fuzzSeed = Number(process.env.MILLRACE_FUZZ_SEED ?? 204_117);
