const oldest = { redis: [7, 0], valkey: [7, 2] };

/** The supported servers, for messages. */
export const needed = 'Redis 7.0 or newer, or Valkey 7.2 or newer';

/** `product` is `redis` or `valkey`, or a name that contains one of them. */
export function isNewEnough(product, { major, minor }) {
  const [oldestMajor, oldestMinor] = /valkey/i.test(product) ? oldest.valkey : oldest.redis;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/** The version in the output of `redis-server --version`: `Redis server v=7.0.15 sha=…`. */
export function serverVersion(text) {
  return parse(/\bv=(\d+)\.(\d+)/.exec(text));
}

/** The version in a package manager's description of a package: `Candidate: 5:7.0.15-1`, `Version : 8.0.1`. */
export function offeredVersion(text) {
  return parse(/^\s*(?:Candidate|Version)\s*:\s*(?:\d+:)?(\d+)\.(\d+)/m.exec(text));
}

function parse(match) {
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}
