import type { RedisConnection } from '@millrace/redis';
import { compareNames } from '../model/topic-partition.js';
import type { GroupKeys } from '../store/keys.js';
import { removeMember } from '../store/members.js';
import { gonePresences, type Presence, parsePresence, presencesOf } from '../store/presence.js';

/** How many others each member watches: the next ones by name, so that the work does not grow with the square. */
const watchedPeers = 8;

/**
 * Notices that another member's process is dead by the end of its connection, long before its session ends. Missing once,
 * it is a suspect (a connection may be lost and come back); missing twice, the member is removed.
 */
export class PeerWatch {
  readonly #connection: RedisConnection;
  readonly #keys: GroupKeys;
  readonly #memberId: string;
  /** Member id → the presence under which it was missed. */
  #suspects = new Map<string, string>();

  constructor(connection: RedisConnection, keys: GroupKeys, memberId: string) {
    this.#connection = connection;
    this.#keys = keys;
    this.#memberId = memberId;
  }

  async look(
    own: Presence,
    members: ReadonlyMap<string, { readonly incarnation: string }>,
  ): Promise<'all-there' | 'suspected' | 'removed'> {
    const peers = this.#peersOf([...members.keys()]);
    if (peers.length === 0 || Object.keys(own).length === 0) return 'all-there';
    const { commands } = this.#connection;
    const missed = await this.#missed(own, peers, await presencesOf(commands, this.#keys, peers));
    const confirmed = [...missed].filter(([id, presence]) => this.#suspects.get(id) === presence);
    this.#suspects = missed;
    let removed = 0;
    for (const [memberId, presence] of confirmed) {
      const incarnation = members.get(memberId)?.incarnation ?? '';
      if (await removeMember(commands, this.#keys, { memberId, incarnation, presence })) removed++;
    }
    if (removed > 0) return 'removed';
    return missed.size > 0 ? 'suspected' : 'all-there';
  }

  async #missed(
    own: Presence,
    peers: readonly string[],
    stored: readonly (string | null)[],
  ): Promise<Map<string, string>> {
    const presences = stored.map((json) => parsePresence(json));
    const gone = await gonePresences(this.#connection.commands, own, presences);
    const missed = new Map<string, string>();
    for (const [index, id] of peers.entries()) {
      const presence = presences[index];
      const json = stored[index];
      if (presence !== undefined && gone.has(presence) && typeof json === 'string') missed.set(id, json);
    }
    return missed;
  }

  #peersOf(ids: readonly string[]): string[] {
    const sorted = [...ids].sort(compareNames);
    const after = sorted.indexOf(this.#memberId) + 1;
    const ring = [...sorted.slice(after), ...sorted.slice(0, Math.max(0, after - 1))];
    return ring.filter((id) => id !== this.#memberId).slice(0, watchedPeers);
  }
}
