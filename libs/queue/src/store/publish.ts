import {
  asList,
  asText,
  type PreparedArguments,
  type RedisClient,
  type ReplicaDemand,
  runWithReplicas,
  type ScriptCall,
} from '@millrace/redis';
import type { OutgoingFrame } from '../model/outgoing-frame.js';
import type { EntryResult } from '../model/receipt.js';
import { readStoredVersion } from '../model/stored-settings.js';
import { MessagePacker } from './message-packer.js';
import { publishScript } from './publish-script.js';

/** A message to be added to queues. */
export interface OutgoingMessage {
  /** Its unique name in queues, ASCII. See `model/entry.ts`. */
  readonly entry: string;
  readonly frame: OutgoingFrame;
  /** '' for a plain message, else see `messageTerms`. */
  readonly terms: string;
}

/** One queue of a call: its keys, and which of the call's messages it gets (by index; undefined: all of them). */
export interface PublishTarget {
  /** Its keys, in the order of the script. */
  readonly keys: PreparedArguments;
  /** The arguments of a queue that gets all messages. */
  readonly whole: PreparedArguments;
  readonly priorities: number;
  readonly picks: readonly number[] | undefined;
}

/** One script call: see `PublishCalls`. */
export interface PublishCall {
  /** The keys of the topology's version and of the record of this call. */
  readonly keys: PreparedArguments;
  /** The version by which messages were routed, its field, and how long calls are remembered. */
  readonly conditions: PreparedArguments;
  readonly number: number;
  readonly messages: readonly OutgoingMessage[];
  readonly targets: readonly PublishTarget[];
  /** If the messages are lines of a source: for each target the key of the lines it received from there. */
  readonly brought: readonly string[];
}

export type PublishAnswer =
  | {
      readonly kind: 'done';
      /** The results for messages that were not simply added to a queue, by index of message and target. */
      readonly exceptions: readonly {
        readonly message: number;
        readonly target: number;
        readonly result: EntryResult;
      }[];
      /** Targets where a message became a dead letter that must be carried on. */
      readonly died: readonly number[];
      /** Fewer replicas than required have it: how many, in words. */
      readonly shortfall?: string;
    }
  /** The topology has another version; NaN if its version is invalid. Nothing was done. */
  | { readonly kind: 'stale'; readonly version: number }
  /** The queue is not in its slot. Nothing was done. */
  | { readonly kind: 'gone'; readonly target: number }
  /** A later call was executed before this one: its caller has given this one up. Nothing was done. */
  | { readonly kind: 'late' };

/** Identifies a line of its source, so that a queue recognises a repetition. */
export interface LineOrder {
  readonly number: string;
  /** The lowest number of the source that is not carried yet: lower ones do not come again. */
  readonly floor: string;
}

/** The properties of a message that the script needs; '' when there are none. */
export function messageTerms(terms: {
  readonly priority: number;
  readonly delayMs: number | undefined;
  readonly expirationMs: number | undefined;
  /** Its frame has an id. */
  readonly hasId: boolean;
  /** Set if it is a line of another queue. */
  readonly line?: LineOrder | undefined;
}): string {
  const { priority, delayMs, expirationMs, hasId, line } = terms;
  if (priority === 0 && delayMs === undefined && expirationMs === undefined && !hasId && line === undefined) return '';
  const own = `${priority};${delayMs ?? ''};${expirationMs ?? ''};${hasId ? 1 : ''}`;
  return line === undefined ? own : `${own};${line.number};${line.floor}`;
}

export async function publish(client: RedisClient, call: PublishCall): Promise<PublishAnswer> {
  const { keys, args } = scriptCall(call);
  return readAnswer(asList(await publishScript.run(client, keys, args)));
}

/** As `publish`, and waits for replicas, in one round trip. The client blocks meanwhile. */
export async function publishWithReplicas(
  client: RedisClient,
  call: PublishCall,
  demand: ReplicaDemand,
): Promise<PublishAnswer> {
  const { reply, shortfall } = await runWithReplicas(client, publishScript, scriptCall(call), demand);
  const answer = readAnswer(asList(reply));
  return answer.kind === 'done' && shortfall !== undefined ? { ...answer, shortfall } : answer;
}

function scriptCall({ keys: callKeys, conditions, number, messages, targets, brought }: PublishCall): ScriptCall {
  const keys: ScriptCall['keys'][number][] = [callKeys];
  // Two arguments, not three per message: building and writing a command of 1,500 arguments took longer than all the rest.
  const args: ScriptCall['args'][number][] = [conditions, number, packEntries(messages), packTerms(messages)];
  for (const target of targets) {
    keys.push(target.keys);
    if (target.picks === undefined) args.push(target.whole);
    else args.push(target.priorities, target.picks.map((index) => index + 1).join(','));
  }
  keys.push(...brought);
  return { keys, args };
}

function packEntries(messages: readonly OutgoingMessage[]): Buffer | '' {
  if (messages.length === 0) return '';
  const bytes = messages.reduce((sum, { entry, frame }) => sum + entry.length + frame.length + 10, 5);
  const packer = new MessagePacker(bytes, 2 * messages.length);
  for (const { entry, frame } of messages) {
    packer.latin1(entry);
    if (typeof frame === 'string') packer.latin1(frame);
    else packer.bytes(frame);
  }
  return packer.finish();
}

function packTerms(messages: readonly OutgoingMessage[]): Buffer | '' {
  if (messages.every(({ terms }) => terms === '')) return '';
  const bytes = messages.reduce((sum, { terms }) => sum + terms.length + 5, 5);
  const packer = new MessagePacker(bytes, messages.length);
  for (const { terms } of messages) packer.latin1(terms);
  return packer.finish();
}

function readAnswer(reply: readonly unknown[]): PublishAnswer {
  const kind = asText(reply[0]);
  if (kind === 'stale') return { kind, version: readStoredVersion(asText(reply[1])) ?? Number.NaN };
  if (kind === 'gone') return { kind, target: Number(reply[1]) - 1 };
  if (kind === 'late') return { kind };
  const exceptions = reply.slice(1, -1).map((exception) => {
    const [message, target, result] = asText(exception).split(' ');
    return { message: Number(message) - 1, target: Number(target) - 1, result: result as EntryResult };
  });
  const died = asText(reply.at(-1));
  return { kind: 'done', exceptions, died: died === '' ? [] : died.split(',').map((number) => Number(number) - 1) };
}
