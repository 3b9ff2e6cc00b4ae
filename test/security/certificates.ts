import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { type RedisServer, RedisStartError, startRedis, type TlsFiles } from '@millrace/testing';

/** The files that servers start with, the certificate of the authority that signed theirs, and that of another authority. */
export interface Certificates {
  readonly files: TlsFiles;
  readonly ca: Buffer;
  readonly otherCa: Buffer;
}

/** A server that speaks TLS. */
export interface TlsServer extends Omit<Certificates, 'files'> {
  readonly server: RedisServer;
  readonly tlsPort: number;
}

/** Why nothing can be tested over TLS on this machine; undefined where it can. */
export const tlsProblem = await findTlsProblem();

/** Tests over TLS. Where there is none they are skipped, and their names say why. */
export const overTls = {
  it(name: string, test: () => Promise<void>, timeoutMs?: number): void {
    if (tlsProblem === undefined) it(name, test, timeoutMs);
    else it.skip(`${name} (${tlsProblem})`, test, timeoutMs);
  },
  describe(name: string, tests: () => void): void {
    if (tlsProblem === undefined) describe(name, tests);
    else describe.skip(`${name} (${tlsProblem})`, tests);
  },
};

/** A server that speaks TLS. */
export async function startWithTls(password?: string): Promise<TlsServer> {
  return withCertificates('IP:127.0.0.1', async ({ files, ca, otherCa }) => {
    const server = await startRedis({
      aof: 'everysec',
      ...(password === undefined ? {} : { password }),
      tls: files,
    });
    return { server, tlsPort: server.tlsPort ?? 0, ca, otherCa };
  });
}

/** Starts servers whose certificate is made out to `subject`, and removes the files when they have read them. */
export async function withCertificates<T>(
  subject: 'IP:127.0.0.1' | 'DNS:localhost',
  start: (certificates: Certificates) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const path = (name: string) => join(folder, name);
  try {
    makeCertificates(folder, subject);
    const [ca, otherCa] = [readFileSync(path('ca.pem')), readFileSync(path('other.pem'))];
    const files = { cert: path('server.pem'), key: path('server.key'), ca: path('ca.pem') };
    return await start({ files, ca, otherCa });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function findTlsProblem(): Promise<string | undefined> {
  try {
    await (await startWithTls()).server.stop();
    return undefined;
  } catch (error) {
    if (error instanceof RedisStartError && /tls/i.test(error.message)) return 'the server was built without TLS';
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'there is no openssl';
    throw error;
  }
}

function makeCertificates(folder: string, subject: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  for (const name of ['ca', 'other']) {
    openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  }
  const address = ['-addext', `subjectAltName=${subject}`, '-addext', 'basicConstraints=CA:FALSE'];
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=redis', ...address];
  openssl('req', '-x509', ...key, ...signed, '-keyout', 'server.key', '-out', 'server.pem');
}
