import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from '@jest/globals';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
let seen: {
  readonly strangers: unknown;
  readonly applications: unknown;
  readonly refusals: readonly string[];
  readonly transport: unknown;
};

// given: every package, loaded once by `import` and once by `require`
beforeAll(async () => {
  const env = { ...process.env, NODE_OPTIONS: '' };
  await run('node', [join(root, 'scripts/commonjs.mjs')], { cwd: root, env });
  const packages = readdirSync(join(root, 'libs')).map((lib) => `@millrace/${lib}`);
  const program = join(root, 'test/programs/two-copies.mjs');
  const { stdout } = await run('node', [program, ...packages], { cwd: root, env });
  seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
});

it('recognises each error of the other copy as an instance of the same class and its parents, and of no other', () => {
  expect(seen.strangers).toEqual([[], []]);
});

it('runs handlers and publishers of one copy over the connection of the other, in both directions', () => {
  const whole = { published: ['mails'], outcomes: ['given-up', 'retry-later'], isMillrace: true };
  expect(seen.applications).toEqual([whole, whole]);
});

it('has one token for each provider, and knows records and events of the other copy', () => {
  expect(seen.transport).toEqual({ token: true, isRecord: true, areEvents: true });
});

it('refuses what two copies cannot share, and says what to do', () => {
  const [connections, metrics] = seen.refusals;
  expect(connections).toMatch(
    /connection "second" was made by another copy of @millrace\/nestjs .*: call forRoot of one copy for all connections/,
  );
  expect(metrics).toMatch(/registry has the metrics of another Metrics that was not stopped/);
});
