import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type RedisServer, RedisStartError, startRedis } from '@millrace/testing';

/** A server that speaks TLS, the certificate of who signed its own, and that of somebody else. */
export interface TlsServer {
  readonly server: RedisServer;
  readonly tlsPort: number;
  readonly ca: Buffer;
  readonly otherCa: Buffer;
}

/** Undefined, and why is printed, where there is no openssl or the Redis binary was built without TLS. */
export async function startWithTls(password?: string): Promise<TlsServer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  try {
    makeCertificates(folder);
    const tlsPort = await freePort();
    const server = await startRedis({
      aof: 'everysec',
      ...(password === undefined ? {} : { password }),
      config: {
        'tls-port': tlsPort,
        'tls-cert-file': join(folder, 'server.pem'),
        'tls-key-file': join(folder, 'server.key'),
        'tls-ca-cert-file': join(folder, 'ca.pem'),
        'tls-auth-clients': 'no',
      },
    });
    return {
      server,
      tlsPort,
      ca: readFileSync(join(folder, 'ca.pem')),
      otherCa: readFileSync(join(folder, 'other.pem')),
    };
  } catch (error) {
    const cannot = error instanceof RedisStartError ? /tls/i.test(error.message) : isMissing(error);
    if (!cannot) throw error;
    console.warn(`TLS is not tested here: ${error instanceof Error ? error.message : error}`);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  for (const name of ['ca', 'other']) {
    openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  }
  const address = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE'];
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=redis', ...address];
  openssl('req', '-x509', ...key, ...signed, '-keyout', 'server.key', '-out', 'server.pem');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
