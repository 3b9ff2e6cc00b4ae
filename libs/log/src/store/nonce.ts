/**
 * A unique number per append. Two logs that have the same nonce at the same offset have that append in common,
 * and everything before it: Redis may lose the end of its writes, never the middle.
 */
export function appendNonce(): number {
  return Math.floor(Math.random() * 2 ** 48);
}
