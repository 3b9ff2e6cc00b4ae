/** String with a time to live: which process reads lag and depth for everybody. Its own slot of a cluster. */
export function samplerKey(prefix: string): string {
  return `${prefix}:{metrics}:sampler`;
}
