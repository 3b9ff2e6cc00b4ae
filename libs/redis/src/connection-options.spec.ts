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
    [{ cluster: { nodes: [] } }, 'cluster.nodes must be a list of { host, port } with at least one entry'],
    [
      { sentinel: { name: 'm', nodes: [{ host: 'a', port: 0 }] } },
      'sentinel.nodes[0].port must be a whole number from 1',
    ],
  ])('refuses %j', (input, problem) => {
    expect(() => resolveConnectionOptions(input)).toThrow(problem);
  });

  it('never shows a password', () => {
    expect(() => resolveConnectionOptions({ url: 'http://user:secret@a' })).toThrow(/^(?!.*secret)/s);
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
