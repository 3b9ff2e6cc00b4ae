import { describe, expect, it } from '@jest/globals';
import { resolveConnectionOptions } from './connection-options.js';
import { parseServerInfo } from './server-check.js';

describe('resolveConnectionOptions', () => {
  it('fills in the defaults', () => {
    expect(resolveConnectionOptions({ url: 'redis://localhost:6380' })).toEqual({
      url: 'redis://localhost:6380',
      prefix: 'millrace',
      name: 'millrace',
      connectTimeoutMs: 5000,
      commandTimeoutMs: 5000,
      allowEviction: false,
    });
  });

  it.each([
    [{}, 'one of url, cluster and sentinel must be given'],
    [{ url: 'redis://a', cluster: { nodes: [{ host: 'b', port: 1 }] } }, 'only one of url and cluster may be given'],
    [{ url: 'http://user:secret@a' }, 'url must look like redis://host:6379'],
    [{ url: 'redis://a', prefix: 'a{b}' }, 'prefix must be 1 to 100 letters'],
    [{ url: 'REDIS://a' }, 'url must begin with redis:// in lower case, not REDIS://'],
    [{ url: 'redis://a/abc' }, 'url names the database "abc", and a database is a number: write redis://host:6379/0'],
    [{ url: 'redis://a/-1' }, 'url names the database "-1"'],
    [{ url: 'redis://a?db=abc' }, 'url names the database "abc"'],
    [{ url: 'redis://:pa/ss@a:6379' }, 'url has characters like / ? # in its user or password: encode them'],
    [{ url: 'redis://user/pa@a' }, 'url has characters like / ? # in its user or password: encode them'],
    [{ url: 'redis://:pa?ss@a:6379' }, 'url has characters like / ? # in its user or password: encode them'],
    [{ url: 'redis://:pa#ss@a:6379' }, 'url has characters like / ? # in its user or password: encode them'],
    [
      { url: 'redis://:100%@a:6379' },
      'url has a % in its user or password that does not begin a code like %25: encode them',
    ],
    [{ url: 'redis://a:99999' }, 'url must look like redis://host:6379, with a port from 0 to 65535'],
    [{ url: 'redis://' }, 'url names no host: write redis://host:6379'],
    [{ url: 'redis://a', password: '' }, 'password is empty: give the password, or leave password out'],
    [{ url: 'redis://a', username: 'u' }, 'username is given without a password'],
    [{ cluster: { nodes: [{ host: 'a', port: 1 }] }, db: 0 }, 'db is not for a cluster, which has only database 0'],
    [{ sentinel: { name: 'm', nodes: [{ host: 'a', port: 1 }], password: '' } }, 'sentinel.password is empty'],
    [{ cluster: { nodes: [] } }, 'cluster.nodes must be a list of { host, port } with at least one entry'],
    [
      { sentinel: { name: 'm', nodes: [{ host: 'a', port: 0 }] } },
      'sentinel.nodes[0].port must be a whole number from 1',
    ],
  ])('refuses %j', (input, problem) => {
    expect(() => resolveConnectionOptions(input)).toThrow(problem);
  });

  it.each([
    { url: 'redis://a:6380/15' },
    { url: 'rediss://user:p%40ss@a' },
    { url: 'redis://:p@ss@a' },
    { url: 'redis://[::1]:6379' },
    { url: 'redis://a/0?password=p@ss' },
    { url: 'redis://:p@a', username: 'u' },
  ])('accepts %j', (input) => {
    expect(resolveConnectionOptions(input).url).toBe(input.url);
  });

  it.each([
    { url: 'http://user:secret@a' },
    { url: 'redis://user:secret/x@a' },
    { url: 'redis://user:secret#x@a' },
    { url: 'redis://a/secret@b' },
    { url: 'redis://user:secret%@a' },
  ])('never shows a password: %j', (input) => {
    expect(() => resolveConnectionOptions(input)).toThrow(/^(?!.*secret)/s);
  });
});

describe('parseServerInfo', () => {
  it('tells Valkey from the Redis version it claims to be', () => {
    const info = 'redis_version:7.2.4\r\nvalkey_version:8.1.0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';
    expect(parseServerInfo(info)).toEqual({
      kind: 'valkey',
      version: '8.1.0',
      evictionPolicy: 'noeviction',
      isAppendOnly: true,
    });
  });
});
