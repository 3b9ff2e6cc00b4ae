import { readFileSync } from 'node:fs';

/**
 * Where a service of the demo finds Redis: `REDIS_URL`, and `REDIS_PASSWORD_FILE` for a password that stands in a file, since an
 * environment is shown by every tool that lists containers.
 */
export function redisConnection(name: string) {
  const { REDIS_URL: url = 'redis://localhost:6379', REDIS_PASSWORD_FILE: file } = process.env;
  return { url, name, ...(file === undefined ? {} : { password: readFileSync(file, 'utf8').trim() }) };
}
