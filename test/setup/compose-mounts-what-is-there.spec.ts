import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const yaml = (file: string) => parse(read(file), { merge: true });

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly args: { readonly SERVICE: string } };
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly healthcheck?: unknown;
}

const { services, volumes } = yaml('docker-compose.yml') as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, null>>;
};
const all = Object.entries(services);
const dashboards = readdirSync(join(root, 'deploy/grafana/dashboards'));

/** The file of this repository that a service sees under `path`. */
function behind(service: string, path: string): string {
  const mounts = (services[service]?.volumes ?? []).map((mount) => mount.split(':'));
  const found = mounts.find(([source, target]) => source?.startsWith('.') && path.startsWith(target ?? '-'));
  if (found === undefined) throw new Error(`${service} has no mount under which ${path} could be`);
  const [source = '', target = ''] = found;
  return resolve(root, source, path.slice(target.length).replace(/^\//, ''));
}

describe('docker-compose.yml', () => {
  it('names versions of its images', () => {
    const images = all.flatMap(([, { image }]) => image ?? []);
    expect(images.filter((image) => !/^\$\{[A-Z]+_IMAGE:-\S+:v?\d+\.\d+\.\d+(-\S+)?\}$/.test(image))).toEqual([]);
    expect(images.length).toBe(5);
    expect(read('Dockerfile')).toMatch(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-alpine\d+\.\d+$/m);
  });

  it('mounts what is there, and volumes that it declares', () => {
    const sources = all.flatMap(([, service]) => (service.volumes ?? []).map((mount) => mount.split(':')[0] ?? ''));
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !existsSync(join(root, source)) : !(source in volumes),
    );
    expect(missing).toEqual([]);
  });

  it('builds images of programs that there are, and gives no port twice, and none but to this machine', () => {
    const built = all.filter(([, { build }]) => build !== undefined);
    const sources = built.map(([, { build, command = ['dist/main.js'] }]) => {
      const program = command.find((word) => word.startsWith('dist/')) ?? '';
      return `apps/${build?.args.SERVICE}/${program.replace('dist/', 'src/').replace(/\.js$/, '.ts')}`;
    });
    expect(sources.length).toBe(6);
    expect(sources.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const ports = all.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  it('gives no container what it does not need: rights of root, a place to write, endless memory, this folder', () => {
    for (const [name, service] of all) {
      const { user = 'root', read_only, cap_drop, security_opt, mem_limit = '', volumes: mounts = [] } = service;
      const isRoot = /^(root|0)(:|$)/.test(user);
      expect({ name, isRoot, read_only, cap_drop, security_opt }).toEqual({
        ...{ name, isRoot: false, read_only: true, cap_drop: ['ALL'] },
        security_opt: ['no-new-privileges:true'],
      });
      expect(mem_limit).toMatch(/^\d+m$/);
      expect(mounts.filter((mount) => mount.startsWith('.') && !mount.endsWith(':ro'))).toEqual([]);
    }
  });

  it('makes a password once, and has none in what it says', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-password-'));
    const [shell = '', ...args] = services['redis-password']?.command ?? [];
    const make = (): string => {
      execFileSync(shell, args, { cwd: folder });
      return readFileSync(join(folder, 'password'), 'utf8').trim();
    };
    const [first, second] = [make(), make()];
    rmSync(folder, { recursive: true });
    expect(first).toMatch(/^[\w-]{32}$/);
    expect(second).toBe(first);
    expect(services.shop?.environment).toMatchObject({ REDIS_PASSWORD_FILE: '/secrets/password' });
    expect(services.grafana?.environment).toMatchObject({ GF_SECURITY_ADMIN_PASSWORD__FILE: '/secrets/password' });
    expect(services.redis?.command?.at(-1)).toContain('echo "requirepass $$(cat /secrets/password)" > /tmp/redis.conf');
  });

  it('waits for services that it has; for health only where there is a check', () => {
    for (const [name, { depends_on: needs = {} }] of all) {
      const conditions = Array.isArray(needs) ? needs.map((need) => [need, {}]) : Object.entries(needs);
      for (const [need, { condition }] of conditions) {
        expect({ name, need, isThere: need in services }).toEqual({ name, need, isThere: true });
        if (condition === 'service_healthy') expect(services[need]?.healthcheck).toBeDefined();
      }
    }
  });

  it('gives Prometheus its configuration, and that its rules, and scrapes services that there are', () => {
    // The image's own command line reads this file.
    const file = behind('prometheus', '/etc/prometheus/prometheus.yml');
    const { rule_files: rules, scrape_configs: jobs } = parse(readFileSync(file, 'utf8'));
    for (const rule of rules) expect(existsSync(behind('prometheus', `/etc/prometheus/${rule}`))).toBe(true);
    const targets: string[] = jobs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
      job.static_configs.flatMap((config) => config.targets),
    );
    for (const target of targets) {
      const [host = '', port] = target.split(':');
      expect(services[host]?.environment?.PORT).toBe(port);
    }
  });

  it('gives Grafana a Prometheus, and dashboards that ask it', () => {
    const [source] = yaml('deploy/grafana/provisioning/datasources/prometheus.yml').datasources;
    expect(source).toMatchObject({ type: 'prometheus', isDefault: true, url: 'http://prometheus:9090' });
    const [provider] = yaml('deploy/grafana/provisioning/dashboards/millrace.yml').providers;
    expect(readdirSync(behind('grafana', provider.options.path))).toEqual(dashboards);
    const home = services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? '';
    expect(existsSync(behind('grafana', home))).toBe(true);
  });

  it.each(dashboards)('has in %s a dashboard whose panels ask the data source that is chosen in it', (file) => {
    const { uid, templating, panels } = JSON.parse(read(`deploy/grafana/dashboards/${file}`));
    expect(uid).toBe(file.replace('.json', ''));
    expect(templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource', query: 'prometheus' }),
    );
    const asked = JSON.stringify(panels).match(/(?<="datasource":\{"type":"prometheus","uid":")[^"]*/g) ?? [];
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(asked)).toEqual(new Set(['$'.concat('{datasource}')]));
  });
});
