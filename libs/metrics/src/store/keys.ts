/** String with a time to live: the process that reads lag and depth for all. In its own slot of a cluster. */
export function samplerKey(prefix: string): string {
  return `${prefix}:{metrics}:sampler`;
}
