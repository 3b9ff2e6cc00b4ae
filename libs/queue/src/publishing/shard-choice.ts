import type { Router } from '../model/routing.js';
import { drawFor, slotOf } from '../model/shards.js';
import type { Publication } from './publication.js';

/** Messages without a key go to one shard until it has had this many, so that they share script calls. */
const messagesPerTurn = 100;

/** The next shard of a queue. */
interface Turn {
  draw: number;
  messages: number;
  tick: number;
}

/** Decides to which shards of sharded queues messages go. The decision for a message never changes. */
export class ShardChoice {
  readonly #turns = new Map<string, Turn>();
  #tick = 0;
  #isTicking = false;

  /** The slots for a message of this route: its queues, with the name of a shard's slot for each sharded one. */
  slots(publication: Publication, router: Router): readonly string[] {
    const { queues } = publication.route;
    if (!router.hasShards) return queues;
    return queues.map((queue) => {
      const shards = router.topology.queues.get(queue)?.shards;
      if (shards === undefined) return queue;
      publication.draw ??= this.#draw(queue, publication.target.shardKey);
      return slotOf(queue, publication.draw % shards);
    });
  }

  #draw(queue: string, key: string | undefined): number {
    if (key !== undefined) return drawFor(key);
    this.#watchTick();
    let turn = this.#turns.get(queue);
    if (turn === undefined) {
      turn = { draw: 0, messages: 0, tick: this.#tick };
      this.#turns.set(queue, turn);
    } else if (turn.messages >= messagesPerTurn || turn.tick !== this.#tick) {
      turn.draw++;
      turn.messages = 0;
      turn.tick = this.#tick;
    }
    turn.messages++;
    return turn.draw;
  }

  #watchTick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    setImmediate(() => {
      this.#isTicking = false;
      this.#tick++;
    });
  }
}
