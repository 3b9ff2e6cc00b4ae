import { bareCompletion, type Completion } from '../model/completion.js';
import { maxTurnMessages, type TurnNeeds, type TurnPlan } from '../model/turn-plan.js';
import type { SettleCommand } from '../store/settle.js';

/** Most bytes of results, roughly, that one turn brings for a queue that keeps completed messages. */
const maxResultBytes = 1024 * 1024;

/** What one turn sends to Redis. */
export interface OutboxBatch {
  readonly claimed: readonly string[];
  readonly acknowledged: readonly string[];
  readonly settleCommands: readonly SettleCommand[];
  /** One per acknowledgement; empty when the queue keeps no completed messages. */
  readonly completions: readonly Completion[];
}

/** Claims and settle commands on a consumer's messages, until Redis has confirmed them: an outage loses none. */
export class Outbox {
  /** Called when a settle command is added. */
  onAdded: () => void = () => undefined;
  /** Whether the queue keeps completed messages, by its last turn. */
  keepsCompleted = false;
  #claimed: string[] = [];
  #acknowledged: string[] = [];
  #settleCommands: SettleCommand[] = [];
  /** By id, if the queue keeps completed messages. */
  readonly #completions = new Map<string, Completion>();

  get isEmpty(): boolean {
    return this.#acknowledged.length === 0 && this.#settleCommands.length === 0 && this.#claimed.length === 0;
  }

  /** How much of each is in it, except `sent` acknowledgements that are under way. */
  pending(sent: number): TurnNeeds['pending'] {
    return {
      claims: this.#claimed.length,
      acknowledgements: this.#acknowledged.length - sent,
      fitting: this.#completions.size === 0 ? maxTurnMessages : this.#fitting(sent),
      settleCommands: this.#settleCommands.length,
    };
  }

  /** How many acknowledgements after `sent` ones have results that fit into one turn; at least one. */
  #fitting(sent: number): number {
    let [count, bytes] = [0, 0];
    for (const id of this.#acknowledged.slice(sent, sent + maxTurnMessages)) {
      bytes += this.#completions.get(id)?.result.length ?? 0;
      if (bytes > maxResultBytes && count > 0) break;
      count++;
    }
    return count;
  }

  claim(id: string): void {
    this.#claimed.push(id);
  }

  acknowledge(id: string, completion?: Completion): void {
    this.#acknowledged.push(id);
    if (completion !== undefined) this.#completions.set(id, completion);
    this.onAdded();
  }

  settle(command: SettleCommand): void {
    this.#settleCommands.push(command);
    this.onAdded();
  }

  clear(): void {
    this.#claimed = [];
    this.#acknowledged = [];
    this.#settleCommands = [];
    this.#completions.clear();
  }

  /** What the next turn brings. A settle command on a message that is still to be claimed waits for the turn after it. */
  batch(plan: Pick<TurnPlan, 'claims' | 'acknowledgements' | 'sent' | 'settleCommands'>): OutboxBatch {
    const isClaimed = ({ id }: SettleCommand): boolean => this.#claimed.includes(id);
    const settleCommands =
      plan.claims === 0 ? this.#settleCommands : this.#settleCommands.filter((command) => !isClaimed(command));
    const acknowledged = this.#acknowledged.slice(plan.sent, plan.sent + plan.acknowledgements);
    const completionOf = (id: string): Completion => this.#completions.get(id) ?? bareCompletion;
    return {
      claimed: this.#claimed.slice(0, plan.claims),
      acknowledged,
      settleCommands: settleCommands.slice(0, plan.settleCommands),
      completions: this.#completions.size === 0 ? [] : acknowledged.map(completionOf),
    };
  }

  /** Redis has confirmed a batch. */
  confirmed({ claimed, acknowledged, settleCommands }: OutboxBatch): void {
    this.#claimed.splice(0, claimed.length);
    this.#acknowledged.splice(0, acknowledged.length);
    if (this.#completions.size > 0) for (const id of acknowledged) this.#completions.delete(id);
    if (settleCommands.length === 0) return;
    const done = new Set(settleCommands);
    this.#settleCommands = this.#settleCommands.filter((command) => !done.has(command));
  }

  /** Messages with a claim, an acknowledgement or a settle command that Redis has not confirmed. */
  ids(): Set<string> {
    return new Set([...this.#claimed, ...this.#acknowledged, ...this.#settleCommands.map(({ id }) => id)]);
  }
}

/**
 * Milliseconds until the next delayed message is due, by the turn and by the retries that went with it: when Redis has
 * lost the script of the settle commands, that one is sent again and runs after the turn.
 */
export function soonest(dueInMs: number | undefined, settleCommands: readonly SettleCommand[]): number | undefined {
  const delays = settleCommands.flatMap((command) => (command.kind === 'retry' ? command.delayMs : []));
  if (dueInMs !== undefined) delays.push(dueInMs);
  return delays.length === 0 ? undefined : Math.min(...delays);
}
