/**
 * Codecs, errors, options, retry policies and settlement: the pure part of Millrace.
 *
 * @module @millrace/core
 */
export { type Backoff, backoffDelayMs, backoffProblems } from './backoff.js';
export { ByteReader } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export { type Codec, CodecRegistry, rawCodec } from './codec.js';
export { DeadLetter, Drop, RetryLater } from './control.js';
export * from './errors.js';
export { describeFailure, type Failure } from './failure.js';
export { Fifo } from './fifo.js';
export { jsonCodec } from './json-codec.js';
export { type Linked, LinkedList } from './linked-list.js';
export {
  checkedHeaders,
  type Headers,
  type HeadersInput,
  type HeaderValue,
  isHeadersObject,
  noHeaders,
  readHeaders,
  reservedHeaderPrefix,
  writeHeaders,
} from './message.js';
export { msgpackCodec } from './msgpack-codec.js';
export { assertName, deadLettersOf, keepsDeadLetters, maxNameBytes, nameProblem } from './names.js';
export { assertNoProblem, integerProblem, isTimestamp, shown, timestampProblem } from './numbers.js';
export {
  boolean,
  custom,
  didYouMean,
  duration,
  integer,
  type OptionReader,
  type OptionReaders,
  object,
  oneOf,
  optional,
  required,
  resolveOptions,
  text,
} from './options.js';
export { type Outcome, outcomeOfThrow } from './outcome.js';
export { PassingMap } from './passing-map.js';
export {
  defaultRetryPolicy,
  type ErrorMatcher,
  type RetryPolicy,
  type RetryRule,
  retryPolicy,
  ruleFor,
} from './retry-policy.js';
export { type DeadLetterReason, type Settlement, settle } from './settlement.js';
export { type PauseOptions, pause, startTimer, stopTimer, type Timer } from './timer.js';
