import { type Evidence, entriesOf } from '../evidence.js';
import { grouped } from '../grouped.js';
import type { Observation } from '../observation.js';

export interface OwnershipFindings {
  /** Two members that effected something in one epoch of one partition. */
  readonly dualOwners: readonly string[];
  /** Commits that Redis took from an epoch that was over. */
  readonly staleCommitsAccepted: readonly string[];
  /** Committed offsets that went back, other than by a seek. */
  readonly regressions: readonly string[];
}

/** Judges by what the servers did, in their own order, and by what the members wrote down. */
export function examineOwnership(evidence: Evidence): OwnershipFindings {
  const findings = { dualOwners: [] as string[], staleCommitsAccepted: [] as string[], regressions: [] as string[] };
  const histories = grouped(evidence.observations, ({ server, topic, partition }) => `${server} ${topic}/${partition}`);
  for (const [name, history] of histories) examineHistory(name, history, findings);
  findings.dualOwners.push(...dualByJournals(evidence));
  return findings;
}

function examineHistory(
  name: string,
  history: readonly Observation[],
  findings: { dualOwners: string[]; staleCommitsAccepted: string[]; regressions: string[] },
): void {
  let epoch = 0;
  let owner: string | undefined;
  let committed = 0;
  for (const seen of history) {
    if (seen.epoch === epoch && owner !== undefined && seen.owner !== owner) {
      findings.dualOwners.push(`${name}: in epoch ${epoch} both ${owner} and ${seen.owner} ${seen.kind}`);
    }
    if (seen.epoch < epoch && seen.kind === 'acquired') {
      findings.dualOwners.push(`${name}: epoch ${seen.epoch} was given after epoch ${epoch}`);
    }
    if (seen.kind === 'committed') {
      if (seen.epoch < epoch) {
        findings.staleCommitsAccepted.push(`${name}: a commit of epoch ${seen.epoch} was taken in epoch ${epoch}`);
      }
      if (seen.offset < committed && !seen.isSeek) {
        findings.regressions.push(`${name}: committed ${seen.offset} after ${committed}`);
      }
      committed = seen.offset;
    }
    if (seen.epoch >= epoch) ({ epoch, owner } = seen);
  }
}

/** Members write down what Redis confirmed to them: in one epoch only one of them. */
function dualByJournals(evidence: Evidence): string[] {
  // Epochs that only a lost server knew are given again by the one that took over.
  if (evidence.mayLoseUnconfirmed) return [];
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const { topic, partition, epoch, process } of entriesOf(evidence, 'committed')) {
    const right = `${topic}/${partition} epoch ${epoch}`;
    const owner = owners.get(right) ?? process;
    if (owner !== process) problems.push(`${right}: both ${owner} and ${process} committed`);
    owners.set(right, process);
  }
  return problems;
}
