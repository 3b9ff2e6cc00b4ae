import { PreparedArguments } from '@millrace/redis';
import type { Router } from '../model/routing.js';
import { queueOf } from '../model/shards.js';
import { broughtKey, publishedKey, queueKeys, topologyKeys, waitingKeys } from './keys.js';
import type { OutgoingMessage, PublishCall, PublishTarget } from './publish.js';
import { targetKeyNames } from './target-keys.js';

/** What one call sends. */
export interface CallContent {
  readonly number: number;
  /** By which its messages were routed. */
  readonly router: Router;
  readonly messages: readonly OutgoingMessage[];
  /** The slots that get messages. */
  readonly slots: readonly string[];
  /** The slot whose lines the messages are; undefined: they are none. */
  readonly source: string | undefined;
  /** The messages that a slot gets, by index; undefined: all. */
  picks(slot: string): readonly number[] | undefined;
}

/**
 * The calls of one pipeline, and all of their keys and arguments that are the same from call to call: encoding a dozen keys took as long as
 * packing a message.
 */
export class PublishCalls {
  readonly #prefix: string;
  /** The key with the version of the topology, and the field. */
  readonly #declared: string;
  readonly #versionField: 'version' | 'topology';
  readonly #recordOf: (place: number) => string;
  readonly #recordTtlMs: number;
  readonly #keys: PreparedArguments[] = [];
  /** The conditions of the last version. */
  #conditions: { readonly version: number; readonly prepared: PreparedArguments } | undefined;

  /**
   * @param slot the one that all calls go to; undefined: to any, on one server
   * @param publisher distinguishes the records of its calls from those of others
   * @param recordTtlMs how long a call is remembered
   */
  constructor(prefix: string, slot: string | undefined, publisher: string, recordTtlMs: number) {
    this.#prefix = prefix;
    this.#declared = slot === undefined ? topologyKeys(prefix).meta : queueKeys(prefix, slot).state;
    this.#versionField = slot === undefined ? 'version' : 'topology';
    this.#recordOf = (place) => publishedKey(prefix, slot, publisher, place);
    this.#recordTtlMs = recordTtlMs;
  }

  /** @param place of the record of this call: calls under way simultaneously have different ones */
  call(content: CallContent, place: number): PublishCall {
    const { number, messages, slots, router, source } = content;
    return {
      keys: this.#keysOf(place),
      conditions: this.#conditionsOf(router.topology.version),
      number,
      messages,
      targets: slots.map((slot) => {
        const target = targetOf(this.#prefix, slot, router);
        const picks = content.picks(slot);
        return picks === undefined ? target : { ...target, picks };
      }),
      brought: source === undefined ? [] : slots.map((slot) => broughtKey(this.#prefix, slot, source)),
    };
  }

  #keysOf(place: number): PreparedArguments {
    this.#keys[place] ??= new PreparedArguments([this.#declared, this.#recordOf(place)]);
    return this.#keys[place];
  }

  #conditionsOf(version: number): PreparedArguments {
    if (this.#conditions?.version !== version) {
      const prepared = new PreparedArguments([this.#versionField, version, this.#recordTtlMs]);
      this.#conditions = { version, prepared };
    }
    return this.#conditions.prepared;
  }
}

/** By router, which belongs to one topology and so to one prefix: the slots as they are in all calls while the topology lasts. */
const targetsOf = new WeakMap<Router, Map<string, PublishTarget>>();

function targetOf(prefix: string, slot: string, router: Router): PublishTarget {
  const known = targetsOf.get(router)?.get(slot);
  if (known !== undefined) return known;
  const priorities = router.topology.queues.get(queueOf(slot))?.priorities ?? 1;
  const keys = queueKeys(prefix, slot);
  const target = {
    keys: new PreparedArguments([...targetKeyNames.map((name) => keys[name]), ...waitingKeys(keys, priorities)]),
    whole: new PreparedArguments([priorities, '']),
    priorities,
    picks: undefined,
  };
  targetsOf.set(router, (targetsOf.get(router) ?? new Map<string, PublishTarget>()).set(slot, target));
  return target;
}
