import { Kafka, logLevel } from 'kafkajs';
import { brokerList } from '../kafka-admin.js';
import type { OpenLogPeer } from '../log-peer.js';
import { oneCallATurn } from '../one-turn.js';
import { type Payload, parsePayload } from '../payload.js';
import { nameIn, urlOf } from '../place.js';

// A fetch is answered when there is a record; this long it waits for one, and so may the end of a consumer.
const idleFetchMs = 100;

// As ours. Left to itself, kafkajs commits after each fetch and waits for it before the next.
const commitIntervalMs = 100;

/**
 * Kafka through kafkajs: `acks: all`, one member of a group, `eachBatch`, each record resolved when its handler is done.
 * kafkajs makes a request of every call and leaves batching to its user, so what is sent in one turn of the event loop is
 * one request here.
 */
export const openKafka: OpenLogPeer = async (place, { partitions = 1, keyOf } = {}) => {
  const kafka = new Kafka({ brokers: brokerList(urlOf(place, 'kafka')), logLevel: logLevel.NOTHING });
  const topic = nameIn(place);
  const admin = kafka.admin();
  await admin.connect();
  // A topic is as its broker has it: in files that the operating system syncs.
  const configEntries = place.durability === 'always' ? [{ name: 'flush.messages', value: '1' }] : [];
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }], waitForLeaders: true });
  await admin.disconnect();
  // Otherwise a client that still runs when the topic is deleted creates it again.
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const publishBatch = oneCallATurn((values: readonly Payload[]) => {
    const messages = values.map((value) => ({ key: keyOf?.(value) ?? null, value: JSON.stringify(value) }));
    return producer.send({ topic, acks: -1, messages });
  });
  return {
    publish: (payload) => publishBatch([payload]),
    publishBatch,
    consume: async (handler) => {
      const consumer = kafka.consumer({ groupId: topic, allowAutoTopicCreation: false, maxWaitTimeInMs: idleFetchMs });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const handled = new Map<number, bigint>();
      const commit = async (): Promise<void> => {
        const offsets = [...handled].map(([partition, last]) => ({ topic, partition, offset: String(last + 1n) }));
        handled.clear();
        if (offsets.length > 0) await consumer.commitOffsets(offsets);
      };
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, resolveOffset, heartbeat }) => {
          for (const record of batch.messages) {
            const pending = handler(parsePayload(record.value?.toString() ?? ''));
            if (pending !== undefined) await pending;
            resolveOffset(record.offset);
            handled.set(batch.partition, BigInt(record.offset));
          }
          await heartbeat();
        },
      });
      const timer = setInterval(() => void commit(), commitIntervalMs);
      return {
        stop: async () => {
          clearInterval(timer);
          await commit();
          await consumer.disconnect();
        },
      };
    },
    close: () => producer.disconnect(),
  };
};
