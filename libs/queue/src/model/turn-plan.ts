/** Most messages that one turn claims and acknowledges, and most that it takes: Lua's `unpack` has a limit. */
export const maxTurnMessages = 1000;
/** Most settle commands in one turn, other than acknowledgements: they cost Redis more. */
export const maxTurnSettleCommands = 200;

/** What a consumer has for its next turn. */
export interface TurnNeeds {
  /** How many more messages it wants, not counting turns under way. */
  readonly room: number;
  /** How many messages it holds. */
  readonly held: number;
  /** Most messages to take per turn. */
  readonly fetchSize: number;
  /** How much of each waits in the outbox and is in no turn under way. */
  readonly pending: {
    readonly claims: number;
    readonly acknowledgements: number;
    /** How many acknowledgements one turn may bring, by the size of their results. */
    readonly fitting: number;
    readonly settleCommands: number;
  };
  /** The consumer that a wake-up named, to be passed to Redis; '' when there was none since. */
  readonly wakeUp: string;
  /** Whether something is due or has expired, which this consumer should move. */
  readonly isDue: boolean;
  /** Whether many messages wait. */
  readonly hasBacklog: boolean;
  /** Whether a turn may be sent while another is under way. */
  readonly mayAskAhead: boolean;
  /** Whether Redis and the consumer are known to agree on which messages it holds. */
  readonly isAgreed: boolean;
}

/** What one turn sends to Redis, and asks for. */
export interface TurnPlan {
  /** How many claims it brings. */
  readonly claims: number;
  /** How many acknowledgements it brings, after `sent` ones that are under way already. */
  readonly acknowledgements: number;
  readonly sent: number;
  /** How many settle commands it brings at most. */
  readonly settleCommands: number;
  /** Most messages that it takes. */
  readonly wanted: number;
  /** Most messages that Redis should hold for this consumer when it takes others: if it holds more, the consumer must reconcile. */
  readonly known: number;
  readonly wakeUp: string;
  /** Whether due messages are moved before it. */
  readonly movesDue: boolean;
}

/** The turn to send while none is under way; undefined when there is nothing to bring or to ask for. */
export function planTurn({ room, held, fetchSize, pending, wakeUp, isDue }: TurnNeeds): TurnPlan | undefined {
  const { claims, acknowledgements, fitting, settleCommands } = pending;
  if (room === 0 && claims + acknowledgements + settleCommands === 0 && wakeUp === '' && !isDue) return undefined;
  const claimed = Math.min(claims, maxTurnMessages);
  const acknowledged = Math.min(acknowledgements, fitting, maxTurnMessages - claimed);
  // When Redis has lost the turn and it is sent again, the script of the settle commands runs after it: then it finds them all held.
  const stillHeld = settleCommands + acknowledgements - acknowledged;
  return {
    claims: claimed,
    acknowledgements: acknowledged,
    sent: 0,
    settleCommands: Math.min(settleCommands, maxTurnSettleCommands),
    wanted: Math.min(Math.max(0, room - stillHeld), fetchSize, maxTurnMessages),
    known: held + stillHeld,
    wakeUp,
    movesDue: isDue,
  };
}

/**
 * The turn to send behind `before`, which is under way, so that Redis works on it while the reply to that one is read; undefined when
 * there is none. Only for a whole fetch, and while there is nothing to settle but acknowledgements, which do not depend on any reply.
 */
export function planTurnAhead(needs: TurnNeeds, before: TurnPlan): TurnPlan | undefined {
  const { room, held, pending, isDue, hasBacklog, mayAskAhead, isAgreed } = needs;
  if (!hasBacklog || !mayAskAhead || !isAgreed || isDue) return undefined;
  if (pending.claims + pending.settleCommands > 0) return undefined;
  const acknowledged = Math.min(pending.acknowledgements, pending.fitting, maxTurnMessages);
  const stillHeld = pending.acknowledgements - acknowledged;
  const wanted = Math.min(needs.fetchSize, maxTurnMessages);
  if (room - before.wanted - stillHeld < wanted) return undefined;
  return {
    claims: 0,
    acknowledgements: acknowledged,
    sent: before.acknowledgements,
    settleCommands: 0,
    wanted,
    known: held + before.wanted + stillHeld,
    wakeUp: '',
    movesDue: false,
  };
}
