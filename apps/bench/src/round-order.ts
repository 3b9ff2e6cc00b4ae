/**
 * In which order the subjects of a round are measured. Every second round is the one before it reversed, so that of any two subjects each is first
 * equally often; and every two rounds another subject begins, so that none always finds the machine as the one before it left it.
 */
export function roundOrder<T>(subjects: readonly T[], round: number): T[] {
  const start = subjects.length === 0 ? 0 : Math.floor(round / 2) % subjects.length;
  const rotated = [...subjects.slice(start), ...subjects.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
