import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, spawnProgram, startRedis } from '@millrace/testing';
import { transform } from '@swc/core';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Blocks of code that the README says run, with the line they print. */
const examples = [...readme.matchAll(/<!-- runs: "(.*)" -->\n```ts\n([\s\S]*?)```/g)].map(
  ([, prints = '', code = '']) => ({ prints, code }),
);

describe('the README', () => {
  let redis: RedisServer;
  let folder: string;
  beforeAll(async () => {
    redis = await startRedis();
    // Inside the repository, so that the examples find the packages where a user's program would.
    await mkdir(join(root, '.millrace'), { recursive: true });
    folder = await mkdtemp(join(root, '.millrace/examples-'));
  });
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has an example of each half', () => expect(examples).toHaveLength(2));

  it.each(examples)('runs as it stands: $prints', async ({ prints, code }) => {
    const { code: script } = await transform(code, {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'es6' },
    });
    const file = join(folder, 'example.mjs');
    await writeFile(file, script);
    const program = await spawnProgram(file, { cwd: folder, env: { REDIS_URL: redis.url } });
    await program.waitForLine(prints, { timeoutMs: 20_000 });
    await program.kill('SIGTERM');
    await program.stop();
  });
});
