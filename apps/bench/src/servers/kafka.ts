import type { Admin } from 'kafkajs';
import { kafkaSetting, withKafkaAdmin } from '../kafka-admin.js';
import type { Durability } from '../place.js';
import type { AbsentServer, FoundServer } from '../servers.js';
import { givenServer } from './given-server.js';
import { sharedName } from './shared-name.js';

/** Kafka is measured when there is one; the bench starts none. */
export async function findKafka(durability: Durability): Promise<FoundServer | AbsentServer> {
  if (durability === 'none') return { absent: 'it has no topics in memory' };
  const given = await givenServer('KAFKA_BROKERS', async (kafkaBrokers) => ({
    description: `${await withKafkaAdmin(kafkaBrokers, describe)} of KAFKA_BROKERS, acks all, ${kept[durability]}`,
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

const kept = {
  everysec: 'in files that the operating system syncs',
  always: 'fsync before the confirmation (flush.messages=1)',
};

/** Its version where it tells one. */
async function describe(admin: Admin): Promise<string> {
  const [broker] = (await admin.describeCluster()).brokers;
  const setting = await kafkaSetting(admin, 'BROKER', String(broker?.nodeId), 'inter.broker.protocol.version');
  const version = setting?.match(/^\d+\.\d+/)?.[0];
  return version === undefined ? 'kafka' : `kafka ${version}`;
}

/** Also what a measurement that was killed has left behind. Kafka forgets its group when the group's topic is gone. */
async function remove(admin: Admin, topic: string): Promise<void> {
  const topics = await admin.listTopics();
  if (topics.includes(topic)) await admin.deleteTopics({ topics: [topic] });
}
