/** The value that the share `p` (0–1) of all values does not exceed: nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
  if (value === undefined) throw new Error('there are no values to take a percentile of');
  return value;
}
