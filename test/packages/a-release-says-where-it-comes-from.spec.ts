import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = new URL('../../.github/workflows/', import.meta.url);
const workflows = Object.fromEntries(
  readdirSync(folder).map((file) => [file, parse(readFileSync(new URL(file, folder), 'utf8')) as Workflow]),
);

it('publishes with provenance what was tested there, in the one job that may prove its identity', () => {
  const { publish } = workflows['release.yml']?.jobs ?? {};
  const runs = publish?.steps.flatMap(({ run }) => run ?? []) ?? [];
  expect(runs.at(-1)).toMatch(/for lib in libs\/\*\/; do\s+npm publish "\.\/\$lib" --provenance --access public/);
  expect(runs.slice(0, -1)).toEqual(
    expect.arrayContaining(['npm run lint', 'npm run audit', 'npm run check:packages', '.ci/run']),
  );
  const writers = Object.values(workflows).flatMap(({ permissions, jobs }) =>
    [permissions, ...Object.values(jobs).map((job) => job.permissions ?? {})].filter((given) =>
      Object.values(given).includes('write'),
    ),
  );
  expect(writers).toEqual([{ contents: 'read', 'id-token': 'write' }]);
});

it('runs no action but by its commit', () => {
  const jobs = Object.values(workflows).flatMap((workflow) => Object.values(workflow.jobs));
  const actions = jobs.flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(actions.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([]);
  expect(actions.length).toBeGreaterThan(0);
});
