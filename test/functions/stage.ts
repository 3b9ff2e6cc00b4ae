import { pause } from '@millrace/core';
import { Events, type MillraceEvents } from '@millrace/delivery';
import { Log } from '@millrace/log';
import { Broker } from '@millrace/queue';
import { type ConnectionInput, RedisConnection } from '@millrace/redis';
import { type Misbehaviour, misbehaviours } from './misbehaviours.js';

/** What the trials of functions share: a Log and a Broker on one Redis, and what they reported. */
export class Stage {
  readonly events = new Events();
  readonly reported: MillraceEvents['background-error'][0][] = [];
  readonly log: Log;
  readonly broker: Broker;
  #names = 0;

  private constructor(
    readonly url: string,
    readonly connection: RedisConnection,
  ) {
    this.events.on('background-error', (event) => void this.reported.push(event));
    this.log = new Log(connection, { events: this.events });
    this.broker = new Broker(connection, { events: this.events });
  }

  static async open(server: { readonly url: string; readonly connection: ConnectionInput }): Promise<Stage> {
    return new Stage(server.url, await new RedisConnection(server.connection).open());
  }

  /** A name that no other trial has. */
  name(): string {
    return `trial-${++this.#names}`;
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.broker.close();
    this.connection.close();
  }
}

/** Misbehaves as `index` says; the last index, and what is none, is the one that behaves: undefined. */
export function misbehave(index: unknown): unknown {
  return misbehaviours[Number(index)]?.act();
}

/** The index of the one that behaves. */
export const well = misbehaviours.length;

/** Waits for every call that misbehaves to end; returns those that did not. */
export async function unsettled(
  call: (misbehaviour: Misbehaviour, index: number) => Promise<unknown>,
): Promise<string[]> {
  const open = new Set(misbehaviours.map(({ what }) => what));
  const ends = misbehaviours.map(async (misbehaviour, index) => {
    await call(misbehaviour, index).catch(() => undefined);
    open.delete(misbehaviour.what);
  });
  // Far longer than it takes: Jest would not name what hangs.
  await Promise.race([Promise.all(ends), pause(20_000, { ref: false })]);
  return [...open];
}
