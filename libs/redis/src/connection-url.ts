/** Characters that end a part of a URL, and so must be encoded within a user or a password. */
const advice = 'encode them with encodeURIComponent, or use the options username and password';

/** The problem of a server's URL, described without its user and password; undefined when it is valid. */
export function urlProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must look like redis://host:6379';
  const [, scheme = '', rest = ''] = /^([a-z][a-z+.-]*:\/\/)(.*)$/is.exec(value) ?? [];
  if (!/^rediss?:\/\/$/i.test(scheme)) return 'must look like redis://host:6379';
  if (scheme !== scheme.toLowerCase()) return `must begin with ${scheme.toLowerCase()} in lower case, not ${scheme}`;
  return loginProblem(value, rest) ?? databaseProblem(new URL(value));
}

/** If a user or password holds `/ ? #`, its `@` comes after the part that is parsed as the address. */
function loginProblem(url: string, rest: string): string | undefined {
  const [authority = ''] = rest.split(/[/?#]/);
  const [path = ''] = rest.split('?');
  const isCut = !authority.includes('@') && (path.includes('@') || (rest.includes('@') && !URL.canParse(url)));
  if (isCut || rest.includes('#')) return `has characters like / ? # in its user or password: ${advice}`;
  if (!URL.canParse(url)) return 'must look like redis://host:6379, with a port from 0 to 65535';
  const { username, password, hostname } = new URL(url);
  if (hostname === '') return 'names no host: write redis://host:6379';
  return [username, password].every(isDecodable)
    ? undefined
    : `has a % in its user or password that does not begin a code like %25: ${advice}`;
}

function isDecodable(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

/** ioredis also reads options from the query. */
function databaseProblem({ pathname, searchParams }: URL): string | undefined {
  const names = [pathname.replace(/^\//, ''), searchParams.get('db') ?? ''].filter((name) => name !== '');
  const wrong = names.find((name) => !/^\d{1,9}$/.test(name));
  return wrong === undefined
    ? undefined
    : `names the database ${JSON.stringify(wrong)}, and a database is a number: write redis://host:6379/0`;
}
