import { type Evidence, entriesOf, messageIn, recordId } from './evidence.js';
import { findAbsences } from './rules/absences.js';
import { findBatchLosses } from './rules/batches.js';
import { findCompletedViolations } from './rules/completed.js';
import { findEarlyDeliveries } from './rules/delays.js';
import { findOrderViolations } from './rules/key-order.js';
import { findCountMismatches, findExceededLimits } from './rules/limits.js';
import { findLineViolations, messagesInLine } from './rules/line.js';
import { findLosses } from './rules/losses.js';
import { findOffsetViolations } from './rules/offsets.js';
import { examineOwnership } from './rules/ownership.js';
import { findRecreationLosses } from './rules/recreations.js';
import { findSecondDeaths } from './rules/second-deaths.js';
import { longestStallMs } from './rules/stalls.js';
import { findStayViolations } from './rules/stays.js';

/** What a run comes to. Numbers of violations, and what was counted beside. */
export interface CheckResult {
  readonly confirmed: number;
  readonly handled: number;
  readonly deadLettered: number;
  /** How many messages of the queue with one consumer were held against each other. */
  readonly inLine: number;
  /** How many stayed in the queue without consumers. */
  readonly stayed: number;
  /** How many completed messages were kept. */
  readonly keptCompleted: number;
  /** Publishes and sends that ended in an error: nothing was promised. */
  readonly failed: number;
  /** Handlings of what had been handled before: what at least once allows. */
  readonly duplicates: number;
  readonly commitsObserved: number;
  readonly lost: number;
  readonly lostInBatches: number;
  readonly lostInRecreations: number;
  readonly orderViolations: number;
  readonly offsetViolations: number;
  readonly lineViolations: number;
  readonly stayViolations: number;
  readonly completedViolations: number;
  readonly secondDeaths: number;
  readonly lostIds: number;
  readonly stale: number;
  readonly dualOwners: number;
  readonly staleCommitsAccepted: number;
  readonly committedRegressions: number;
  readonly earlyDeliveries: number;
  readonly limitsExceeded: number;
  readonly countMismatches: number;
  readonly undrained: number;
  readonly leftoverKeys: number;
  readonly absences: number;
  readonly longestStallMs: number;
  /** Each violation in words. */
  readonly violations: readonly string[];
}

/** Holds what was recorded against what is promised. */
export function check(evidence: Evidence): CheckResult {
  const ownership = examineOwnership(evidence);
  const found = {
    lost: findLosses(evidence),
    lostInBatches: findBatchLosses(evidence),
    lostInRecreations: findRecreationLosses(evidence),
    orderViolations: findOrderViolations(evidence),
    offsetViolations: findOffsetViolations(evidence),
    lineViolations: findLineViolations(evidence),
    stayViolations: findStayViolations(evidence),
    completedViolations: findCompletedViolations(evidence),
    secondDeaths: findSecondDeaths(evidence),
    lostIds: evidence.final.notFound,
    stale: evidence.final.stale,
    dualOwners: ownership.dualOwners,
    staleCommitsAccepted: ownership.staleCommitsAccepted,
    committedRegressions: ownership.regressions,
    earlyDeliveries: findEarlyDeliveries(evidence),
    limitsExceeded: findExceededLimits(evidence),
    countMismatches: findCountMismatches(evidence),
    undrained: evidence.final.undrained,
    leftoverKeys: evidence.final.leftoverKeys,
    absences: findAbsences(evidence),
  };
  const counts = Object.fromEntries(Object.entries(found).map(([rule, problems]) => [rule, problems.length]));
  const violations = Object.entries(found).flatMap(([rule, problems]) => problems.map((text) => `${rule}: ${text}`));
  return {
    ...countAll(evidence),
    ...(counts as Record<keyof typeof found, number>),
    longestStallMs: longestStallMs(evidence),
    violations,
  };
}

function countAll(evidence: Evidence) {
  const records = entriesOf(evidence, 'record-handled').map(recordId);
  const messages = entriesOf(evidence, 'message-handled').map(({ queue, id }) => messageIn(queue, id));
  const distinct = new Set(records).size + new Set(messages).size;
  const receipts = entriesOf(evidence, 'message-confirmed');
  return {
    confirmed:
      entriesOf(evidence, 'record-confirmed').length + receipts.reduce((sum, { queues }) => sum + queues.length, 0),
    handled: distinct,
    deadLettered: evidence.final.deadRecords.length + evidence.final.deadMessages.length,
    inLine: messagesInLine(evidence).length,
    stayed: evidence.final.stayed.length,
    keptCompleted: evidence.final.completed.length,
    failed: entriesOf(evidence, 'record-failed').length + entriesOf(evidence, 'message-failed').length,
    duplicates: records.length + messages.length - distinct,
    commitsObserved: evidence.observations.filter(({ kind }) => kind === 'committed').length,
  };
}
