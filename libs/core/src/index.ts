/**
 * Codecs, errors, options, retry policies and settlement: the pure part of Millrace.
 *
 * @module @millrace/core
 */
export { type Backoff, backoffDelayMs, backoffProblems } from './backoff.js';
export { brand, isOwnInstance } from './brand.js';
export { ByteReader } from './byte-reader.js';
export { ByteWriter } from './byte-writer.js';
export {
  accepted,
  ask,
  type CallbackReport,
  isBoolean,
  isList,
  isThenable,
  notify,
  type Question,
  settledAnswer,
  unreported,
  wrongAnswer,
} from './callback.js';
export { type Codec, rawCodec } from './codec.js';
export { CodecRegistry } from './codec-registry.js';
export { DeadLetter, Drop, RetryLater } from './control.js';
export * from './errors.js';
export { causeOf, describeFailure, errorOf, type Failure, isInstance, messageOf } from './failure.js';
export { Fifo } from './fifo.js';
export { codecProblem, guardedCodec } from './guarded-codec.js';
export { InvalidItems, quotedName } from './invalid-items.js';
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
export { isMsgpackInstalled, msgpackCodec, msgpackInstallation } from './msgpack-codec.js';
export {
  assertName,
  characterProblem,
  deadLettersOf,
  escapeName,
  keepsDeadLetters,
  maxNameBytes,
  nameProblem,
  sourceOfDeadLetters,
  topicNameProblem,
  unescapeName,
} from './names.js';
export { assertNoProblem, integerProblem, isTimestamp, shown, timestampProblem } from './numbers.js';
export {
  abortSignal,
  boolean,
  custom,
  didYouMean,
  duration,
  instead,
  integer,
  label,
  nameList,
  type OptionReader,
  type OptionReaders,
  type OptionReport,
  object,
  oneOf,
  optional,
  required,
  resolveOptions,
  text,
} from './options.js';
export { type Outcome, outcomeOfThrow } from './outcome.js';
export { type CheckPayload, checkPayloads } from './payload-checks.js';
export { perSecondOf, type Rate, type RateOptions, rateOf, rateOption } from './rate.js';
export { type RedriveReport, type RedriveResult, RedriveTally } from './redrive-report.js';
export { describeRemotely, type RemoteFailure, remoteDetails, sendableProperties } from './remote-failure.js';
export {
  defaultRetryPolicy,
  type ErrorMatcher,
  type RetryPolicy,
  type RetryRule,
  retryPolicy,
  ruleFor,
} from './retry-policy.js';
export { type DeadLetterReason, type Settlement, settle } from './settlement.js';
export { ShortLivedMap } from './short-lived-map.js';
export { parseStored, readStored, storedInteger } from './stored.js';
export { endsWithin, type PauseOptions, pause, startTimer, stopTimer, type Timer, within } from './timer.js';
