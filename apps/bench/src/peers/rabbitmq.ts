import amqp from 'amqplib';
import { parsePayload } from '../payload.js';
import { urlOf } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';

/**
 * RabbitMQ through amqplib: `noDelay`, a durable classic queue, persistent messages, confirms; consumers with
 * `prefetch` = concurrency, each message acknowledged when its handler is done.
 */
export const openRabbitmq: OpenQueuePeer = async (place, name = 'bench') => {
  const url = urlOf(place, 'rabbitmq');
  const connection = await amqp.connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  const isDurable = place.durability !== 'none';
  await channel.assertQueue(name, { durable: isDurable });
  const options = { persistent: isDurable };
  const bytes = (payload: unknown) => Buffer.from(JSON.stringify(payload));
  return {
    publish: (payload) =>
      new Promise((resolve, reject) => {
        channel.sendToQueue(name, bytes(payload), options, (error) => (error ? reject(error) : resolve(undefined)));
      }),
    publishBatch: (payloads) => {
      for (const payload of payloads) channel.sendToQueue(name, bytes(payload), options);
      return channel.waitForConfirms();
    },
    consume: async (handler, { concurrency }) => {
      const own = await amqp.connect(url, { noDelay: true });
      const consuming = await own.createChannel();
      await consuming.prefetch(concurrency);
      const handle = async (message: amqp.ConsumeMessage | null): Promise<void> => {
        if (message === null) return;
        const pending = handler(parsePayload(message.content.toString()));
        if (pending !== undefined) await pending;
        consuming.ack(message);
      };
      const { consumerTag } = await consuming.consume(name, (message) => void handle(message));
      return {
        stop: async () => {
          await consuming.cancel(consumerTag);
          await own.close();
        },
      };
    },
    close: async () => {
      await channel.deleteQueue(name);
      await connection.close();
    },
  };
};
