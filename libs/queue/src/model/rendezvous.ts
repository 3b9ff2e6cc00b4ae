/**
 * Chooses one of several weighted destinations for a key: the highest score wins (rendezvous hashing, Thaler & Ravishankar
 * 1998, weighted by −w / ln u). When a destination is added or removed, only its own keys move.
 */
export function chooseByHash<T>(
  key: string,
  choices: readonly { name: string; weight: number; value: T }[],
): T | undefined {
  let best: T | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  const keyHash = hash32(key, 0x811c9dc5);
  for (const { name, weight, value } of choices) {
    const uniform = (mix(hash32(name, keyHash)) + 0.5) / 2 ** 32;
    const score = -weight / Math.log(uniform);
    if (score > bestScore) {
      bestScore = score;
      best = value;
    }
  }
  return best;
}

/** A uniformly distributed 32-bit number for a string. */
export function hashOf(text: string): number {
  return mix(hash32(text, 0x811c9dc5));
}

/** FNV-1a over the string's UTF-16 units. */
function hash32(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** Murmur3's finalizer: FNV alone distributes short strings badly over the high bits. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
