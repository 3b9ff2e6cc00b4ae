import type { ExchangeType } from '@millrace/queue';
import { startRedis } from '@millrace/testing';
import type { Stage } from '../stage.js';

/** An exchange, what is bound to it, and where each key must lead. */
export interface RoutingTable {
  readonly exchange: string;
  readonly type: ExchangeType;
  /** Queue → the keys it is bound with. */
  readonly bindings: Readonly<Record<string, readonly string[]>>;
  /** Routing key → the queues that get it. */
  readonly expected: Readonly<Record<string, readonly string[]>>;
}

/** Publishes a message with each key, and compares what stands in the queues with what was expected. */
export async function playRouting(stage: Stage, { exchange, type, bindings, expected }: RoutingTable): Promise<void> {
  const redis = await startRedis();
  const { broker } = await stage.connect(redis.connection);
  const queues = Object.keys(bindings);
  await broker.declare({
    exchanges: [{ name: exchange, type }],
    queues: queues.map((name) => ({ name })),
    bindings: queues.flatMap((queue) => (bindings[queue] ?? []).map((routingKey) => ({ exchange, queue, routingKey }))),
  });
  for (const queue of queues) stage.say(`queue ${queue} is bound to ${exchange} with ${quoted(bindings[queue] ?? [])}`);
  for (const [key, wanted] of Object.entries(expected)) {
    const { queues: reached } = await broker.publish(exchange, key, { key });
    stage.promised(`"${key}" → ${reached.join(', ') || 'no queue: unroutable'}`, isSame(reached, wanted));
  }
  for (const queue of queues) {
    const { messages } = await broker.queue(queue).ready();
    const keys = messages.map(({ routingKey }) => routingKey);
    const wanted = Object.keys(expected).filter((key) => expected[key]?.includes(queue));
    stage.promised(`queue ${queue} holds ${messages.length}: ${quoted(keys)}`, isSame(keys, wanted));
  }
}

function quoted(keys: readonly string[]): string {
  return keys.length === 0 ? 'nothing' : keys.map((key) => `"${key}"`).join(', ');
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}
