import { ValidationError } from './errors.js';
import { isInstance } from './failure.js';

/** Checks a payload; `subject` names it in errors. @throws {ValidationError} */
export type CheckPayload = (payload: unknown, subject: string) => unknown;

/**
 * Checks the payloads of several items before any of them is sent.
 *
 * @throws {ValidationError} with the problems of all items, each with its place
 */
export async function checkPayloads<I>(
  subject: string,
  items: readonly I[],
  check: (item: I) => unknown,
  placeOf: (item: I, index: number) => string,
): Promise<void> {
  const problems: string[] = [];
  const results = await Promise.allSettled(items.map(async (item) => check(item)));
  for (const [index, item] of items.entries()) {
    const result = results[index];
    if (result?.status !== 'rejected') continue;
    if (!isInstance(result.reason, ValidationError)) throw result.reason;
    problems.push(...result.reason.problems.map((problem) => `${placeOf(item, index)}: ${problem}`));
  }
  if (problems.length > 0) throw new ValidationError(subject, problems);
}
