// npm run audit: lists known vulnerabilities of the packages' dependencies. Without a reachable registry it reports so and succeeds.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const workspaces = readdirSync(new URL('../libs', import.meta.url)).flatMap((lib) => ['--workspace', `libs/${lib}`]);
const patience = ['--fetch-retries=0', '--fetch-timeout=20000'];
const args = ['audit', '--json', '--omit=dev', '--audit-level=high', ...patience, ...workspaces];
const { stdout, status } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const report = parsed(stdout);
if (report?.metadata?.vulnerabilities === undefined) {
  console.log(`Not audited: ${report?.message ?? report?.error?.summary ?? 'the registry did not reply'}`);
} else {
  const found = Object.values(report.vulnerabilities ?? {});
  for (const { name, severity, via } of found) {
    console.log(`${severity}: ${name}: ${via.map((why) => why.title ?? `by ${why}`).join(', ')}`);
  }
  console.log(`${found.length} vulnerable packages are dependencies of libs/*; high and critical ones fail the audit.`);
  process.exitCode = status ?? 1;
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
