import type { ConnectionOptions } from './connection-options.js';

/** The options without what must not be seen: whoever prints a connection prints these. */
export function withoutCredentials(options: ConnectionOptions): ConnectionOptions {
  const { username: _user, password: _password, tls: _tls, url, sentinel, ...shown } = options;
  return Object.freeze({
    ...shown,
    ...(url === undefined ? {} : { url: withoutLogin(url) }),
    ...(sentinel === undefined ? {} : { sentinel: { name: sentinel.name, nodes: sentinel.nodes } }),
  });
}

function withoutLogin(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  // ioredis takes credentials from the query too.
  url.search = '';
  return url.toString();
}
