import { Kafka, logLevel } from 'kafkajs';
import type { OpenLogPeer } from '../log-peer.js';
import { type Payload, parsePayload } from '../payload.js';
import { urlOf } from '../place.js';

/** Kafka through kafkajs: `acks: all`, one member of a group, `eachBatch` with the offsets committed by kafkajs. */
export const openKafka: OpenLogPeer = async (place, { partitions = 1, keyOf } = {}) => {
  const kafka = new Kafka({ brokers: urlOf(place, 'kafka').split(','), logLevel: logLevel.NOTHING });
  const topic = `millrace-bench-${process.pid}-${Date.now()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  const producer = kafka.producer();
  await producer.connect();
  const message = (value: Payload) => ({ key: keyOf?.(value) ?? null, value: JSON.stringify(value) });
  const send = (values: readonly Payload[]) => producer.send({ topic, acks: -1, messages: values.map(message) });
  return {
    publish: (payload) => send([payload]),
    publishBatch: send,
    consume: async (handler) => {
      const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 5 });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
          for (const record of batch.messages) {
            const pending = handler(parsePayload(record.value?.toString() ?? ''));
            if (pending !== undefined) await pending;
            resolveOffset(record.offset);
          }
          await heartbeat();
        },
      });
      return { stop: () => consumer.disconnect() };
    },
    close: async () => {
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    },
  };
};
