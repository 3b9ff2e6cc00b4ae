import type { ConnectionOptions } from './connection-options.js';

/** The options without credentials: a connection that is printed shows these. */
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
  // ioredis also reads credentials from the query.
  url.search = '';
  return url.toString();
}
