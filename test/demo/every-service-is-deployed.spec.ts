import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

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
    const compose = readFileSync('docker-compose.yml', 'utf8');
    expect(compose).toContain(`\n  ${name}:\n    <<: *service\n    command: ["node", "apps/${name}/dist/main.js"]\n`);
    expect(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')).toContain(`"${name}:3000"`);
  });

  it.each([...services, 'contracts', 'demo'])('%s is built, and known to the Nest CLI', (name) => {
    const { references } = JSON.parse(readFileSync('tsconfig.build.json', 'utf8'));
    expect(references).toContainEqual({ path: `apps/${name}` });
    expect(JSON.parse(readFileSync('nest-cli.json', 'utf8')).projects[name]?.root).toBe(`apps/${name}`);
  });
});
