import amqp from 'amqplib';
import { HandlerGate } from '../handler-gate.js';
import { parsePayload } from '../payload.js';
import { nameIn, urlOf } from '../place.js';
import type { OpenQueuePeer } from '../queue-peer.js';

/**
 * RabbitMQ through amqplib: `noDelay`, a durable classic queue, persistent messages, confirms; a prefetch of 100 to 300,
 * as its documentation recommends for throughput, each message acknowledged when its handler is done.
 */
export const openRabbitmq: OpenQueuePeer = async (place) => {
  const name = nameIn(place);
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
      await consuming.prefetch(prefetch(concurrency));
      const gate = new HandlerGate(concurrency);
      const handle = (message: amqp.ConsumeMessage): void | Promise<void> => {
        const pending = handler(parsePayload(message.content.toString()));
        if (pending === undefined) consuming.ack(message);
        else return pending.then(() => consuming.ack(message));
      };
      const { consumerTag } = await consuming.consume(name, (message) => {
        if (message !== null) gate.run(() => handle(message));
      });
      return {
        stop: async () => {
          await consuming.cancel(consumerTag);
          await own.close();
        },
      };
    },
    close: () => connection.close(),
  };
};

function prefetch(concurrency: number): number {
  return Math.min(300, Math.max(100, concurrency * 3));
}
