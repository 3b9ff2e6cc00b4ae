import { DeadLetter, isInstance, isList, type Outcome, outcomeOfThrow } from '@millrace/core';

/**
 * The outcome of each of the `count` messages of a batch: its entry in the list that the handler returned, or the outcome of the
 * whole. Another return value of a driver (a count, an object, rows) says nothing about single messages: all are done.
 */
export function outcomesOfBatch(outcome: Outcome, count: number): readonly Outcome[] {
  const all = (one: Outcome): Outcome[] => Array.from({ length: count }, () => one);
  if (outcome.kind !== 'completed') return all(outcome);
  const { result } = outcome;
  if (isInstance(result, Error)) return all(outcomeOfThrow(result));
  if (!isList(result)) return all(done);
  if (result.length === count) return Array.from({ length: count }, (_, index) => outcomeOfEntry(result[index]));
  return all(result.some((entry) => isInstance(entry, Error)) ? misfit(result.length, count) : done);
}

const done: Outcome = { kind: 'completed', result: undefined };

function outcomeOfEntry(entry: unknown): Outcome {
  return isInstance(entry, Error) ? outcomeOfThrow(entry) : { kind: 'completed', result: entry };
}

/** It is unknown which messages the errors belong to. Most may be done: none is handled again. */
function misfit(length: number, count: number): Outcome {
  const message = `the batch handler returned a list of ${length} with errors in it for ${count} messages: return one entry per message`;
  return { kind: 'given-up', error: new DeadLetter(message) };
}
