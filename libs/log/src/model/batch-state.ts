/**
 * The state of a producer's batch, from its first record until its last reply.
 *
 *     open ──framed──▶ ready ──sent──▶ in-flight ──settled──▶ unanswered
 *      │               │  ▲               │                       │
 *      │               │  └────replied────┘                    replied
 *      │            settled                                       │
 *      └─settled──────▶└──────────────▶ settled ◀─────────────────┘
 *
 * `settled` is what its callers see: confirmed, refused, or given up when its delivery timeout has passed. `unanswered` is settled
 * while Redis may still execute the append: given up, or sent with acks `none`.
 */
export type BatchState = 'open' | 'ready' | 'in-flight' | 'unanswered' | 'settled';

/** `replied` ends a transmission: with a reply of Redis, a failure, or because there is no connection. */
export type BatchEvent = 'framed' | 'sent' | 'replied' | 'settled';

const transitions: Readonly<Record<BatchState, Readonly<Partial<Record<BatchEvent, BatchState>>>>> = {
  open: { framed: 'ready', settled: 'settled' },
  ready: { sent: 'in-flight', settled: 'settled' },
  'in-flight': { replied: 'ready', settled: 'unanswered' },
  unanswered: { replied: 'settled' },
  settled: {},
};

/** The state after an event; the same one where the event changes nothing. */
export function batchStateAfter(state: BatchState, event: BatchEvent): BatchState {
  return transitions[state][event] ?? state;
}

/** Whether its callers have their results. */
export function isSettled(state: BatchState): boolean {
  return state === 'settled' || state === 'unanswered';
}

/** Whether Redis may execute an append of it at any moment. */
export function isSent(state: BatchState): boolean {
  return state === 'in-flight' || state === 'unanswered';
}

/**
 * What an appender does next with a batch that is its turn to be sent:
 *
 * - `wait`: it is still compressed, and those after it must not overtake it
 * - `skip`: its reply is awaited
 * - `leave`: it is settled and takes no place any more
 * - `send`, or `return` where there is no connection
 */
export type Transmission = 'wait' | 'skip' | 'leave' | 'send' | 'return';

export function transmissionOf(state: BatchState, isUp: boolean): Transmission {
  switch (state) {
    case 'open':
      return 'wait';
    case 'ready':
      return isUp ? 'send' : 'return';
    case 'in-flight':
    case 'unanswered':
      return 'skip';
    case 'settled':
      return 'leave';
    default:
      return state satisfies never;
  }
}
