import type { AbsentServer, FoundServer } from '../servers.js';

/** Kafka is measured when there is one; the bench starts none. */
export async function findKafka(): Promise<FoundServer | AbsentServer> {
  const kafkaBrokers = process.env.KAFKA_BROKERS;
  if (kafkaBrokers === undefined || kafkaBrokers === '') return { absent: 'KAFKA_BROKERS is not set' };
  return {
    description: `kafka at ${kafkaBrokers}, as it is configured`,
    lease: async () => ({ place: { kafkaBrokers }, release: async () => {} }),
    stop: async () => {},
  };
}
