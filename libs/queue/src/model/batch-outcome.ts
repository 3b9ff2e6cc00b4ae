import { DeadLetter, isInstance, isList, type Outcome, outcomeOfThrow } from '@millrace/core';

/**
 * What became of one message of a batch: its entry in the list that the handler answered, or what became of the whole. What a
 * driver answers (a count, an object, rows) says nothing of single messages: all are done.
 */
export function outcomeOfOne(outcome: Outcome, index: number, count: number): Outcome {
  if (outcome.kind !== 'completed' || outcome.result === undefined) return outcome;
  const { result } = outcome;
  if (isInstance(result, Error)) return outcomeOfThrow(result);
  if (!isList(result)) return done;
  if (result.length !== count)
    return result.some((one) => isInstance(one, Error)) ? misfit(result.length, count) : done;
  const own: unknown = result[index];
  return isInstance(own, Error) ? outcomeOfThrow(own) : { kind: 'completed', result: own };
}

const done: Outcome = { kind: 'completed', result: undefined };

/** Whose the errors are nobody can tell. Most may be done: none is handled again. */
function misfit(length: number, count: number): Outcome {
  const message = `the batch handler answered a list of ${length} with errors in it for ${count} messages: give one entry for each`;
  return { kind: 'given-up', error: new DeadLetter(message) };
}
