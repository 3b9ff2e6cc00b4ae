/**
 * The partition of a key: murmur2 of its UTF-8 bytes, as in Kafka's Java client, so that a topic that is written
 * from both sides keeps each key in one place (`Utils.murmur2`, `Utils.toPositive` in apache/kafka).
 */
export function partitionForKey(key: string | Uint8Array, partitions: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions;
}

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;
const rotation = 24;

/** Murmur2 with Kafka's seed, as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const { length } = data;
  let hash = seed ^ length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    let k = at(data, index) | (at(data, index + 1) << 8) | (at(data, index + 2) << 16) | (at(data, index + 3) << 24);
    k = Math.imul(k, multiplier);
    k ^= k >>> rotation;
    hash = Math.imul(hash, multiplier) ^ Math.imul(k, multiplier);
  }
  const rest = length - index;
  if (rest >= 3) hash ^= at(data, index + 2) << 16;
  if (rest >= 2) hash ^= at(data, index + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ at(data, index), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

function at(data: Uint8Array, index: number): number {
  return data[index] ?? 0;
}
