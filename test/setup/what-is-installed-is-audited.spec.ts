import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';

let registry: Server | undefined;
afterEach(() => void registry?.close());

/** A registry that replies to requests about vulnerabilities only. */
async function registryThatAnswers(advisories: object): Promise<string> {
  registry = createServer((request, response) => {
    const isAsked = request.url?.endsWith('/advisories/bulk') === true;
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isAsked ? JSON.stringify(advisories) : '{}');
  });
  await once(registry.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
}

async function audit(address: string): Promise<{ readonly printed: string; readonly status: number | null }> {
  const env = { ...process.env, NODE_OPTIONS: '', npm_config_registry: address };
  const program = spawn(process.execPath, ['scripts/audit.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(program, 'close');
  const printed = await text(program.stdout);
  const [status] = await ended;
  return { printed, status };
}

describe('npm run audit', () => {
  it('fails for a vulnerability that users would install', async () => {
    const severity = 'high';
    const about = { id: 1, url: 'https://example.org/1', title: 'a hole', severity, vulnerable_versions: '*' };
    const address = await registryThatAnswers({
      ioredis: [{ ...about, cwe: [], cvss: { score: 9, vectorString: null } }],
    });
    const { printed, status } = await audit(address);
    expect(printed).toMatch(/^high: ioredis: a hole$/m);
    expect(status).toBe(1);
  });

  it('is content with none', async () => {
    const printed = expect.stringMatching(/^0 vulnerable/);
    expect(await audit(await registryThatAnswers({}))).toEqual({ printed, status: 0 });
  });

  it('does not fail where no registry is reachable', async () => {
    const { printed, status } = await audit('http://127.0.0.1:1/');
    expect(printed).toMatch(/^Not audited: /);
    expect(status).toBe(0);
  });
});
