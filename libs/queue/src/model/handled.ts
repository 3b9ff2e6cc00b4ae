import { type DeadLetterReason, describeFailure, type Failure, type Settlement } from '@millrace/core';

/** The progress of several handlers of one message. It is kept with a message that is retried, so that no handler gets it twice. */
export interface Handled {
  /** Names of handlers that succeeded, or dropped it. */
  readonly done: readonly string[];
  /** Handlers that gave it up. */
  readonly dead: readonly { readonly handler: string; readonly reason: DeadLetterReason; readonly error: Failure }[];
}

export const nothingHandled: Handled = Object.freeze({ done: [], dead: [] });

/** Parses the JSON of a `Handled`; unreadable JSON counts as nothing handled. */
export function parseHandled(json: string | undefined): Handled {
  if (json === undefined) return nothingHandled;
  try {
    const { done, dead } = JSON.parse(json) as Partial<Handled>;
    return {
      done: Array.isArray(done) ? done.filter((handler) => typeof handler === 'string') : [],
      dead: Array.isArray(dead) ? dead.filter(isGivenUp) : [],
    };
  } catch {
    return nothingHandled;
  }
}

function isGivenUp(entry: Partial<Handled['dead'][number]> | null): boolean {
  return typeof entry?.handler === 'string' && typeof entry.error?.message === 'string';
}

/** The settlement of one of several handlers. */
export interface HandlerSettlement {
  readonly handler: string;
  readonly settlement: Settlement;
}

/**
 * One settlement for a message with several handlers: it stays until each of them is done. While one is to be
 * retried, so is the message, after the longest of their delays; then it is a dead letter if any gave it up.
 */
export function combineSettlements(
  before: Handled,
  ended: readonly HandlerSettlement[],
): { readonly settlement: Settlement; readonly handled: Handled } {
  const done = [...before.done];
  const dead = [...before.dead];
  let retry: Extract<Settlement, { kind: 'retry' }> | undefined;
  let isReleased = false;
  let result: unknown;
  for (const { handler, settlement } of ended) {
    if (settlement.kind === 'complete' || settlement.kind === 'drop') done.push(handler);
    if (settlement.kind === 'complete') result ??= settlement.result;
    if (settlement.kind === 'release') isReleased = true;
    if (settlement.kind === 'retry' && (retry === undefined || settlement.delayMs >= retry.delayMs)) retry = settlement;
    if (settlement.kind === 'dead-letter') {
      dead.push({ handler, reason: settlement.reason, error: describeFailure(settlement.error) });
    }
  }
  const handled = { done, dead };
  if (isReleased) return { settlement: { kind: 'release' }, handled };
  if (retry !== undefined) return { settlement: retry, handled };
  const first = dead[0];
  if (first === undefined) return { settlement: { kind: 'complete', result }, handled };
  const names = dead.map(({ handler }) => handler).join(', ');
  const error = new Error(`given up by ${names}: ${first.error.message}`);
  return { settlement: { kind: 'dead-letter', reason: first.reason, error }, handled };
}
