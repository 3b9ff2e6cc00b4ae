/**
 * A number for one append and no other. Two logs that have the same nonce at the same offset have that append in common,
 * and with it everything before: Redis may lose the end of what it was told, never the middle.
 */
export function appendNonce(): number {
  return Math.floor(Math.random() * 2 ** 48);
}
