import type { Admin } from 'kafkajs';
import { kafkaSetting, withKafkaAdmin } from '../kafka-admin.js';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer } from './found-server.js';
import { givenServer } from './given-server.js';
import { sharedName } from './shared-name.js';

/** Kafka is measured when there is one; the bench starts none. */
export async function findKafka(durability: Durability): Promise<FoundServer | AbsentServer> {
  if (durability === 'none') return { absent: 'it has no topics in memory' };
  const given = await givenServer('KAFKA_BROKERS', async (kafkaBrokers) => ({
    description: await withKafkaAdmin(kafkaBrokers, (admin) => describe(admin, durability)),
    lease: async () => {
      const name = sharedName();
      return {
        place: { kafkaBrokers, name },
        // What is wrong with a broker that is gone, the measurement has said.
        release: () => withKafkaAdmin(kafkaBrokers, (admin) => remove(admin, name)).catch(() => undefined),
      };
    },
    stop: async () => {},
  }));
  return given ?? { absent: 'KAFKA_BROKERS is not set' };
}

const neverSyncs = '9223372036854775807';

/** Its version where it tells one, and when it syncs its files. */
async function describe(admin: Admin, durability: Durability): Promise<string> {
  const [broker] = (await admin.describeCluster()).brokers;
  const setting = (name: string) => kafkaSetting(admin, 'BROKER', String(broker?.nodeId), name);
  const version = (await setting('inter.broker.protocol.version'))?.match(/^\d+\.\d+/)?.[0];
  const product = version === undefined ? 'kafka' : `kafka ${version}`;
  const records = durability === 'always' ? '1' : await setting('log.flush.interval.messages');
  const kept = records === neverSyncs ? 'files that the operating system syncs' : `fsync every ${records} records`;
  return `${product} of KAFKA_BROKERS, acks all, ${kept}`;
}

/** Also what a measurement that was killed has left behind. Kafka forgets its group when the group's topic is gone. */
async function remove(admin: Admin, topic: string): Promise<void> {
  const topics = await admin.listTopics();
  if (topics.includes(topic)) await admin.deleteTopics({ topics: [topic] });
}
