import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs';

// Node does not see it among the names that this CommonJS module exports.
const { ConfigResourceTypes } = kafkajs;

/** What a bench may wait for a server that does not answer. */
const answerTimeoutMs = 3_000;

/** Asks or tells Kafka something that is no part of a measurement. @throws {Error} after one attempt */
export async function withKafkaAdmin<T>(brokers: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({
    brokers: brokerList(brokers),
    logLevel: logLevel.NOTHING,
    connectionTimeout: answerTimeoutMs,
    requestTimeout: answerTimeoutMs,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A setting in force of a topic (by name) or a broker (by id); undefined when there is none of that name. */
export async function kafkaSetting(
  admin: Admin,
  kind: 'TOPIC' | 'BROKER',
  name: string,
  setting: string,
): Promise<string | undefined> {
  const resource = { type: ConfigResourceTypes[kind], name, configNames: [setting] };
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
  return resources[0]?.configEntries[0]?.configValue;
}

/** `KAFKA_BROKERS` as kafkajs wants it. */
export function brokerList(brokers: string): string[] {
  return brokers.split(',').map((broker) => broker.trim());
}
