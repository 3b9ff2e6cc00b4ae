// `npm run test:servers -- <binary>…`: all suites against each of these Redis or Valkey servers, one after the other.
import { resolve } from 'node:path';
import { output } from './setup/run.mjs';
import { setup } from './setup.mjs';
import { printFreshSeed } from './test/fresh-seed.mjs';
import { endWithSumOf } from './test/last-line.mjs';
import { runAllSuites } from './test/suites.mjs';

const binaries = process.argv.slice(2).map((binary) => (binary.includes('/') ? resolve(binary) : binary));

await endWithSumOf(async (all) => {
  if (binaries.length === 0) {
    console.error('Name the servers: npm run test:servers -- redis-server /opt/valkey/bin/valkey-server');
    return all.addFailure();
  }
  const seed = printFreshSeed();
  const lines = [];
  for (const binary of binaries) {
    process.env.MILLRACE_REDIS_BINARY = binary;
    setup(['redis', 'packages', 'build']);
    const sum = await runAllSuites(seed);
    lines.push(`${productOf(binary)}: ${sum}`);
    all.addSum(sum);
  }
  for (const line of lines) console.log(line);
  return all;
});

/** `Redis 7.0.15`, from `Redis server v=7.0.15 sha=…`. */
function productOf(binary) {
  const [, product, version] = /(\w+) server v=([\d.]+)/.exec(output(binary, ['--version'])) ?? [];
  return product === undefined ? binary : `${product} ${version}`;
}
