import {
  boolean,
  integerProblem,
  type OptionReader,
  type OptionReaders,
  resolveOptions,
  topicNameProblem,
} from '@millrace/core';
import { placeProblem } from '../model/read-range.js';
import type { SeekTarget } from '../reader/seek-target.js';

/** The target: an offset or a place, or a number of records forwards (or, if negative, back) from the group's offset. */
export type ResetTarget = SeekTarget | { readonly shiftBy: number };

/** Which offsets of a group to set, and to what. */
export interface OffsetReset {
  /** The topic whose offsets are set. */ readonly topic: string;
  /** Default: all. */
  readonly partitions?: readonly number[] | undefined;
  /** The target. */ readonly to: ResetTarget;
  /** Only reports what would be done. Default false. */
  readonly dryRun?: boolean | undefined;
}

/** A reset with its defaults. Its partitions are checked where the topic is known. @throws {OptionsError} with every problem */
export function checkedReset(group: string, reset: OffsetReset): OffsetReset & { readonly dryRun: boolean } {
  return resolveOptions(`reset of group "${group}"`, readers, reset);
}

const topic: OptionReader<string> = (value, report) => {
  const problem = topicNameProblem(value);
  if (problem !== undefined) report(problem);
  return String(value);
};

const target: OptionReader<ResetTarget> = (value, report) => {
  const problem = targetProblem(value);
  if (problem !== undefined) report(problem);
  return value as ResetTarget;
};

const readers: OptionReaders<OffsetReset & { readonly dryRun: boolean }> = {
  topic,
  partitions: (value) => value as OffsetReset['partitions'],
  to: target,
  dryRun: boolean(false),
};

/** What is wrong with a target, which may come from untyped code; undefined: nothing. */
function targetProblem(to: unknown): string | undefined {
  if (typeof to !== 'object' || to === null || !('shiftBy' in to)) return placeProblem('where to go', to);
  return integerProblem('shiftBy', to.shiftBy, { min: Number.MIN_SAFE_INTEGER });
}
