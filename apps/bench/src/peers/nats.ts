import { AckPolicy, connect, type JsMsg, nanos, RetentionPolicy, StorageType } from 'nats';
import type { Payload } from '../payload.js';
import { urlOf } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';

/** A JetStream work queue: file storage, publishes confirmed, a pull consumer whose messages are acknowledged one by one. */
export const openNats: OpenQueuePeer = async (place, name = 'bench') => {
  const connection = await connect({ servers: urlOf(place, 'nats') });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({
    name,
    subjects: [name],
    retention: RetentionPolicy.Workqueue,
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
        max_ack_pending: Math.max(concurrency, 1),
        ack_wait: nanos(30_000),
      });
      const consumer = await stream.consumers.get(name, name);
      const handle = async (message: JsMsg): Promise<void> => {
        const pending = handler(message.json<Payload>());
        if (pending !== undefined) await pending;
        message.ack();
      };
      const messages = await consumer.consume({
        max_messages: Math.max(concurrency, 1),
        callback: (m) => void handle(m),
      });
      return {
        stop: async () => {
          await messages.close();
        },
      };
    },
    close: async () => {
      await manager.streams.delete(name);
      await connection.close();
    },
  };
};
