import { Redis } from 'ioredis';
import { type Durability, durabilities, nameIn, type Place, urlOf } from './place.js';
import { serverOf } from './server-kind.js';

/** What every subject of a comparison has in common, whatever its server calls it. */
const meanings: Readonly<Record<Durability, string>> = {
  none: 'memory',
  everysec: 'file, fsync in the background',
  always: 'file, fsync before the confirmation',
};

/**
 * How safe a confirmed message of this subject is. Redis is asked, and Kafka about the topic. RabbitMQ (durable queues, persistent messages,
 * confirms) and JetStream (file storage) are told by the peers' own code what `place.durability` means for them; how often
 * each server syncs stands in its description.
 */
export async function confirmedDurability(place: Place, subject: string): Promise<string> {
  const server = serverOf(subject);
  if (server === 'kafka') return durabilityOfTopic(place);
  if (server !== 'redis') return meanings[place.durability];
  const client = new Redis(urlOf(place, 'redis'));
  try {
    const [, isOn] = (await client.config('GET', 'appendonly')) as string[];
    const [, fsync] = (await client.config('GET', 'appendfsync')) as string[];
    if (isOn !== 'yes') return meanings.none;
    const found = durabilities.find((durability) => durability === fsync);
    return found === undefined ? `appendfsync ${fsync}` : meanings[found];
  } finally {
    client.disconnect();
  }
}

/** Kafka answers when a record is in its leader's file, and syncs it first where `flush.messages` is 1. */
async function durabilityOfTopic(place: Place): Promise<string> {
  const { kafkaSetting, withKafkaAdmin } = await import('./kafka-admin.js');
  const records = await withKafkaAdmin(urlOf(place, 'kafka'), (admin) =>
    kafkaSetting(admin, 'TOPIC', nameIn(place), 'flush.messages'),
  );
  return records === '1' ? meanings.always : meanings.everysec;
}
