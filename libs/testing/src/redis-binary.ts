import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '@millrace/core';

/** An installed Redis or Valkey server. */
export interface RedisBinary {
  /** Its path. */
  readonly path: string;
  /** The product. */
  readonly product: 'redis' | 'valkey';
  /** The server's version, for example `7.0.15`. */
  readonly version: string;
}

const oldest = { redis: [7, 0], valkey: [7, 2] } as const;
const found = new Map<string, Promise<RedisBinary>>();

/**
 * The server that tests run: `binary` when given, else `MILLRACE_REDIS_BINARY`, else the first `redis-server`
 * or `valkey-server` on `PATH`.
 *
 * @throws {Error} there is none, or it is older than Redis 7.0 or Valkey 7.2
 */
export async function findRedisBinary(binary?: string): Promise<RedisBinary> {
  const path = binary ?? process.env.MILLRACE_REDIS_BINARY ?? onPath('redis-server') ?? onPath('valkey-server');
  if (path === undefined) {
    throw new Error(
      'no redis-server or valkey-server is on PATH. Install Redis 7.0 or newer (or Valkey 7.2 or newer), ' +
        'or name the program in MILLRACE_REDIS_BINARY.',
    );
  }
  let known = found.get(path);
  if (known === undefined) {
    known = inspect(path);
    found.set(path, known);
  }
  return known;
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** `Redis server v=7.0.15 sha=…` or `Valkey server v=8.1.1 sha=…` */
async function inspect(path: string): Promise<RedisBinary> {
  const output = await versionOutput(path);
  const [, name, version] = /(Redis|Valkey) server v=([\d.]+)/i.exec(output) ?? [];
  if (name === undefined || version === undefined) {
    throw new Error(`${path} is not a Redis or Valkey server: "${path} --version" printed ${JSON.stringify(output)}.`);
  }
  const product = name.toLowerCase() === 'valkey' ? 'valkey' : 'redis';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldest[product];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`${path} is ${name} ${version}, too old. Install Redis 7.0 or newer, or Valkey 7.2 or newer.`);
  }
  return { path, product, version };
}

async function versionOutput(path: string): Promise<string> {
  try {
    return (await promisify(execFile)(path, ['--version'])).stdout.trim();
  } catch (cause) {
    throw new Error(`${path} could not be run: ${messageOf(cause)}`, { cause });
  }
}
