import { AckPolicy, connect, type JsMsg, nanos, RetentionPolicy, StorageType } from 'nats';
import { HandlerGate } from '../handler-gate.js';
import type { OpenLog, OpenLogPeer } from '../log-peer.js';
import type { Payload } from '../payload.js';
import { nameIn, type Place, urlOf } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';

/** A JetStream work queue: file storage, publishes confirmed, a pull consumer whose messages are acknowledged one by one. */
export const openNats: OpenQueuePeer = (place) => openStream(place, RetentionPolicy.Workqueue);

/** A JetStream stream that keeps its messages, with a durable consumer; otherwise as the queue. */
export const openNatsLog: OpenLogPeer = (place) => openStream(place, RetentionPolicy.Limits);

// Fewer would have the consumer wait for its own acknowledgements.
const unacknowledged = 500;

async function openStream(place: Place, retention: RetentionPolicy): Promise<OpenLog> {
  const name = nameIn(place);
  const connection = await connect({ servers: urlOf(place, 'nats') });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({
    name,
    subjects: [name],
    retention,
    storage: place.durability === 'none' ? StorageType.Memory : StorageType.File,
  });
  const stream = connection.jetstream();
  const encoder = new TextEncoder();
  const publish = (payload: Payload) => stream.publish(name, encoder.encode(JSON.stringify(payload)));
  return {
    publish,
    publishBatch: (payloads) => Promise.all(payloads.map(publish)),
    consume: async (handler, { concurrency }) => {
      await manager.consumers.add(name, {
        durable_name: name,
        ack_policy: AckPolicy.Explicit,
        max_ack_pending: unacknowledged,
        ack_wait: nanos(30_000),
      });
      const consumer = await stream.consumers.get(name, name);
      const gate = new HandlerGate(concurrency);
      const handle = (message: JsMsg): void | Promise<void> => {
        const pending = handler(message.json<Payload>());
        if (pending === undefined) message.ack();
        else return pending.then(() => message.ack());
      };
      const messages = await consumer.consume({
        max_messages: unacknowledged,
        callback: (message) => gate.run(() => handle(message)),
      });
      return {
        stop: async () => {
          await messages.close();
        },
      };
    },
    close: () => connection.close(),
  };
}
