import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, RedisStartError, startRedis, type TlsFiles } from '@millrace/testing';

/** For servers to start with, the certificate of who signed theirs, and that of somebody else. */
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

/** Undefined, and why is printed, where there is no openssl or the Redis binary was built without TLS. */
export async function startWithTls(password?: string): Promise<TlsServer | undefined> {
  return withCertificates('IP:127.0.0.1', async ({ files, ca, otherCa }) => {
    const server = await startRedis({
      aof: 'everysec',
      ...(password === undefined ? {} : { password }),
      tls: files,
    });
    return { server, tlsPort: server.tlsPort ?? 0, ca, otherCa };
  });
}

/**
 * Starts servers whose certificate is made out to `subject`, and removes the files when they have read them. Undefined, and
 * why is printed, where there is no openssl or the Redis binary was built without TLS.
 */
export async function withCertificates<T>(
  subject: 'IP:127.0.0.1' | 'DNS:localhost',
  start: (certificates: Certificates) => Promise<T>,
): Promise<T | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const path = (name: string) => join(folder, name);
  try {
    makeCertificates(folder, subject);
    const [ca, otherCa] = [readFileSync(path('ca.pem')), readFileSync(path('other.pem'))];
    const files = { cert: path('server.pem'), key: path('server.key'), ca: path('ca.pem') };
    return await start({ files, ca, otherCa });
  } catch (error) {
    const cannot = error instanceof RedisStartError ? /tls/i.test(error.message) : isMissing(error);
    if (!cannot) throw error;
    console.warn(`TLS is not tested here: ${error instanceof Error ? error.message : error}`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
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

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
