import { type FuzzOptions, readOptions, usage } from './options.js';
import { run } from './run.js';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: FuzzOptions;
  try {
    options = readOptions(process.argv.slice(2), Math.floor(Math.random() * 2 ** 32));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.wantsHelp) {
    console.log(usage);
    return 0;
  }
  const { seed, seconds } = options;
  console.error(`npm run fuzz -- --seed ${seed} --seconds ${seconds}`);
  const result = { seed, seconds, ...(await run(options)) };
  console.log(JSON.stringify(result, null, 2));
  return result.broken.length === 0 ? 0 : 1;
}
