import { Fifo } from '@millrace/core';
import { asBytes, asInteger, asList, asText, type RedisClient, type ScriptArgument } from '@millrace/redis';
import type { ConsumerKeys } from './consumer-keys.js';
import { isForeign, namedEntries } from './foreign-entries.js';
import { packTexts } from './message-packer.js';
import { MessageUnpacker } from './message-unpacker.js';
import { Taken } from './taken.js';
import { turnArgs, turnScript } from './turn-script.js';

export type TurnState = 'ok' | 'paused' | 'standby' | 'passed';

export interface TurnResult {
  readonly state: TurnState;
  /** Ms until a timer should make another turn; undefined when a wake-up will come. */
  readonly dueInMs: number | undefined;
  /** Messages that were claimed or acknowledged and that this consumer does not, or no longer, hold. */
  readonly notMine: readonly string[];
  /** Redis' clock, ms since 1970. */
  readonly now: number;
  /** How many messages Redis holds for this consumer that it does not know of; then none were taken. At least 1 after Redis went back. */
  readonly unknown: number;
  /** Whether the queue has no other consumer. */
  readonly isAlone: boolean;
  /** Whether the queue keeps completed messages: then acknowledgements include completions. */
  readonly keepsCompleted: boolean;
  /** Number of the last offer among what was taken; 0 when there is none. */
  readonly takenOver: number;
  /** In order; offers first. */
  readonly taken: Fifo<Taken>;
}

/** Distinguishes a turn from the one before it. */
export interface TurnNumber {
  /** 1 to 999. */
  readonly own: number;
  /** Of the turn that Redis executed last for this registration; '' when that is not certain. */
  readonly before: number | '';
}

/** Makes one turn; undefined when the consumer's registration is gone, and with it all messages it held. */
export async function turn(
  client: RedisClient,
  keys: ConsumerKeys,
  request: {
    readonly wanted: number;
    /** Most bytes to take, but at least one message; there may be more left then. Undefined: no limit. */
    readonly maxBytes: number | undefined;
    readonly wakeUp: string;
    /** Most messages that Redis should hold for this consumer, without those that the turn takes. */
    readonly known: number;
    readonly leaseMs: number;
    readonly number: TurnNumber;
    readonly claimed: readonly string[];
    readonly acknowledged: readonly string[];
    /** One per acknowledgement, in a queue that keeps completed messages. Default: nothing is known of them. */
    readonly completions?: readonly { readonly elapsedMs: number | undefined; readonly result: string }[] | undefined;
  },
): Promise<TurnResult | undefined> {
  const { wanted, maxBytes = '', wakeUp, known, leaseMs, number, claimed } = request;
  const named: Record<(typeof turnArgs)[number], ScriptArgument> = {
    me: keys.consumer,
    wanted,
    wakeUp,
    acknowledged: packAcknowledged(request),
    maxBytes,
    known,
    leaseMs,
    number: number.own,
    numberBefore: number.before,
  };
  const args = [...turnArgs.map((name) => named[name]), ...claimed];
  const reply = asList(await turnScript.run(client, [keys.turn], args));
  const state = asText(reply[0]);
  if (state === 'lost') return undefined;
  const dueInMs = asInteger(reply[1]);
  const flags = asInteger(reply[5]);
  return {
    state: state as TurnState,
    dueInMs: dueInMs < 0 ? undefined : dueInMs,
    notMine: asList(reply[2]).map(asText),
    now: asInteger(reply[3]),
    unknown: asInteger(reply[4]),
    isAlone: (flags & 1) !== 0,
    keepsCompleted: (flags & 2) !== 0,
    takenOver: asInteger(reply[6]),
    taken: await readTaken(client, keys, asBytes(reply[7]), reply[8]),
  };
}

function packAcknowledged({
  acknowledged,
  completions = [],
}: Pick<Parameters<typeof turn>[2], 'acknowledged' | 'completions'>): Buffer | string {
  if (acknowledged.length === 0) return '';
  const entries = packTexts(acknowledged);
  if (completions.length === 0) return entries;
  const elapsed = completions.map(({ elapsedMs }) => (elapsedMs === undefined ? '' : String(Math.round(elapsedMs))));
  return Buffer.concat([entries, packTexts(elapsed), packTexts(completions.map(({ result }) => result))]);
}

async function readTaken(client: RedisClient, keys: ConsumerKeys, packed: Buffer, rare: unknown): Promise<Fifo<Taken>> {
  const lists = new MessageUnpacker(packed);
  const [counts, throughs] = rare === undefined ? [] : asList(rare).map(asList);
  const taken = new Fifo<Taken>();
  const entries = Array.from({ length: lists.list() }, () => lists.next());
  let ids = entries.map(asText);
  if (ids.some(isForeign)) ids = await namedEntries(client, keys, entries);
  for (let index = 0, frames = lists.list(); index < frames; index++) {
    const count = counts?.[index] ?? undefined;
    const through = throughs?.[index] ?? undefined;
    const deliveries = count === undefined ? 0 : asInteger(count);
    const handled = through === undefined ? undefined : asText(through);
    taken.push(new Taken(ids[index] ?? '', lists.next(), deliveries, handled));
  }
  return taken;
}
