import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const yaml = (file: string) => parse(read(file), { merge: true });

interface Service {
  readonly image: string;
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
    expect(all.filter(([, { image }]) => !/:v?\d/.test(image))).toEqual([]);
  });

  it('mounts what is there, and volumes that it declares', () => {
    const sources = all.flatMap(([, service]) => (service.volumes ?? []).map((mount) => mount.split(':')[0] ?? ''));
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !existsSync(join(root, source)) : !(source in volumes),
    );
    expect(missing).toEqual([]);
  });

  it('runs programs that the build makes, and gives no port twice', () => {
    const programs = all.flatMap(([, { command = [] }]) => command.filter((word) => word.startsWith('apps/')));
    expect(programs.length).toBe(6);
    const sources = programs.map((program) => program.replace('/dist/', '/src/').replace(/\.js$/, '.ts'));
    expect(sources.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const ports = all.flatMap(([, service]) => (service.ports ?? []).map((port) => port.split(':')[0]));
    expect(new Set(ports).size).toBe(ports.length);
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
