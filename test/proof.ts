/**
 * Some proofs take longer the more they prove. `npm test` runs them shortened, so that each stays under 20 s; `npm run proof`
 * runs them whole.
 */
export const isWhole = process.env.MILLRACE_PROOF === 'whole';

/** A size that depends on it: how many rounds, messages, seconds. */
export function sized({ whole, short }: { readonly whole: number; readonly short: number }): number {
  return isWhole ? whole : short;
}
