import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const services = readdirSync('apps', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'contracts')
  .map(({ name }) => ({ name, manifest: JSON.parse(readFileSync(`apps/${name}/package.json`, 'utf8')) }))
  .filter(({ manifest }) => manifest.name.startsWith('@demo/'))
  .map(({ name }) => name);

describe('every service of the demo', () => {
  it('is one of the five', () => {
    expect(services.sort()).toEqual(['analytics', 'inventory', 'notifications', 'shop', 'tracking']);
  });

  it.each(services)('%s has a container, and Prometheus scrapes it', (name) => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
    expect(services[name]).toMatchObject({
      build: { context: '.', args: { SERVICE: name } },
      depends_on: { redis: {} },
    });
    // The image's own program, in the folder of the service that it is built for.
    expect(services[name].command).toBeUndefined();
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(
      /WORKDIR \/app\/apps\/\$\{SERVICE\}\n(?:.*\n)*CMD \["node", .*"dist\/main.js"\]/,
    );
    expect(existsSync(`apps/${name}/src/main.ts`)).toBe(true);
    expect(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')).toContain(`"${name}:3000"`);
  });

  it.each([...services, 'contracts', 'demo'])('%s is built, and known to the Nest CLI', (name) => {
    const { references } = JSON.parse(readFileSync('tsconfig.build.json', 'utf8'));
    expect(references).toContainEqual({ path: `apps/${name}` });
    expect(JSON.parse(readFileSync('nest-cli.json', 'utf8')).projects[name]?.root).toBe(`apps/${name}`);
  });
});
