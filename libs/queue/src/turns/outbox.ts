import { bareCompletion, type Completion } from '../model/completion.js';
import type { Verdict } from '../store/settle.js';
import { maxTurnMessages } from '../store/turn.js';

/** Most verdicts in one turn, other than acknowledgements: they cost Redis more. */
const maxVerdicts = 200;

/** Most bytes of results, about, that one turn brings for a queue that keeps completed messages. */
const maxResultBytes = 1024 * 1024;

/** What one turn brings to Redis. */
export interface OutboxBatch {
  readonly claimed: readonly string[];
  readonly acknowledged: readonly string[];
  readonly verdicts: readonly Verdict[];
  /** Of each that is acknowledged; empty when the queue keeps none of them. */
  readonly completions: readonly Completion[];
}

/** Claims and verdicts on a consumer's messages, until Redis has answered that it has them: an outage loses none. */
export class Outbox {
  /** Called when there is a verdict more. */
  onVerdict: () => void = () => undefined;
  /** Whether the queue keeps completed messages, by its last turn. */
  keepsCompleted = false;
  #claimed: string[] = [];
  #acknowledged: string[] = [];
  #verdicts: Verdict[] = [];
  /** By id, where the queue keeps completed messages. */
  readonly #completions = new Map<string, Completion>();

  get isEmpty(): boolean {
    return this.#acknowledged.length === 0 && this.#verdicts.length === 0 && this.#claimed.length === 0;
  }

  /** There is nothing in it but acknowledgements. */
  get isPlain(): boolean {
    return this.#verdicts.length === 0 && this.#claimed.length === 0;
  }

  claim(id: string): void {
    this.#claimed.push(id);
  }

  acknowledge(id: string, completion?: Completion): void {
    this.#acknowledged.push(id);
    if (completion !== undefined) this.#completions.set(id, completion);
    this.onVerdict();
  }

  judge(verdict: Verdict): void {
    this.#verdicts.push(verdict);
    this.onVerdict();
  }

  clear(): void {
    this.#claimed = [];
    this.#acknowledged = [];
    this.#verdicts = [];
    this.#completions.clear();
  }

  /**
   * What the next turn brings. A verdict on a message that is still to be claimed waits for the turn after it.
   *
   * @param sent how many acknowledgements are under way with the turn before it
   */
  next(sent = 0): OutboxBatch {
    const claimed = this.#claimed.slice(0, maxTurnMessages);
    const isClaimed = ({ id }: Verdict): boolean => this.#claimed.includes(id);
    const verdicts = claimed.length === 0 ? this.#verdicts : this.#verdicts.filter((verdict) => !isClaimed(verdict));
    const acknowledged = this.#acknowledged.slice(sent, sent + maxTurnMessages - claimed.length);
    const completions = this.#completions.size === 0 ? [] : this.#completionsOf(acknowledged);
    return {
      claimed,
      acknowledged: completions.length === 0 ? acknowledged : acknowledged.slice(0, completions.length),
      verdicts: verdicts.slice(0, maxVerdicts),
      completions,
    };
  }

  /** Of so many of these as one turn may bring, but of one in any case. */
  #completionsOf(ids: readonly string[]): Completion[] {
    const completions: Completion[] = [];
    let bytes = 0;
    for (const id of ids) {
      const completion = this.#completions.get(id) ?? bareCompletion;
      bytes += completion.result.length;
      if (bytes > maxResultBytes && completions.length > 0) break;
      completions.push(completion);
    }
    return completions;
  }

  /**
   * Messages that Redis may still count as held when the turn that brings `batch` takes others: acknowledgements that had
   * no room in it, and all verdicts: their script comes after the turn when Redis has forgotten it and it is sent again.
   */
  stillHeldWith({ acknowledged }: OutboxBatch, sent = 0): number {
    return this.#verdicts.length + this.#acknowledged.length - sent - acknowledged.length;
  }

  /** Redis has answered. */
  confirmed({ claimed, acknowledged, verdicts }: OutboxBatch): void {
    this.#claimed.splice(0, claimed.length);
    this.#acknowledged.splice(0, acknowledged.length);
    if (this.#completions.size > 0) for (const id of acknowledged) this.#completions.delete(id);
    if (verdicts.length === 0) return;
    const done = new Set(verdicts);
    this.#verdicts = this.#verdicts.filter((verdict) => !done.has(verdict));
  }

  /** Messages with a claim, an acknowledgement or a verdict that Redis has not confirmed. */
  ids(): Set<string> {
    return new Set([...this.#claimed, ...this.#acknowledged, ...this.#verdicts.map(({ id }) => id)]);
  }
}

/**
 * In how many ms the next delayed message is due, by what the turn saw and by the retries that went with it: when Redis has
 * forgotten the script of the verdicts, that one is sent again and comes after the turn.
 */
export function soonest(dueInMs: number | undefined, verdicts: readonly Verdict[]): number | undefined {
  const delays = verdicts.flatMap((verdict) => (verdict.kind === 'retry' ? verdict.delayMs : []));
  if (dueInMs !== undefined) delays.push(dueInMs);
  return delays.length === 0 ? undefined : Math.min(...delays);
}
