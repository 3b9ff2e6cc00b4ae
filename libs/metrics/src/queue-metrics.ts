import type { QueueSnapshot } from '@millrace/admin';
import { highest, sum } from './partition-series.js';
import type { Series } from './pulled-metrics.js';
import type { SampledFamily } from './sampled-family.js';

/** The label of all queues that come and go with their users: replies, subscriptions. */
export const temporaryQueues = '(temporary)';

/** Queues. The names are RabbitMQ's, with Millrace's prefix. */
export const queueMetrics: readonly SampledFamily[] = [
  gauge('millrace_queue_messages', 'All messages a queue holds, in any state.', ({ messages }) => messages),
  gauge('millrace_queue_messages_ready', 'Messages that wait for a consumer.', ({ ready }) => ready),
  gauge('millrace_queue_messages_unacked', 'Messages that consumers hold.', ({ unacked }) => unacked),
  gauge(
    'millrace_queue_messages_delayed',
    'Messages that are not due yet: delays and retries.',
    (queue) => queue.delayed,
  ),
  gauge(
    'millrace_queue_messages_parked',
    'Messages set aside: no handler matches them, or they can become no dead letter.',
    ({ parked }) => parked,
  ),
  gauge(
    'millrace_queue_messages_completed',
    'Completed messages that a queue with keepCompleted keeps: not among millrace_queue_messages.',
    ({ settings, completed }) => (settings.keepCompleted === undefined ? undefined : completed),
  ),
  gauge(
    'millrace_queue_messages_bytes',
    'Memory of Redis that the messages take, as MEMORY USAGE estimates it.',
    ({ bytes }) => bytes,
  ),
  gauge('millrace_queue_consumers', 'Consumers whose lease holds.', ({ consumers }) => consumers),
  gauge(
    'millrace_queue_oldest_message_seconds',
    'How long the message at the head of the queue waits; 0 when none waits.',
    ({ oldestAgeMs = 0 }) => oldestAgeMs / 1000,
    highest,
  ),
];

function gauge(
  name: string,
  help: string,
  value: (queue: QueueSnapshot) => number | undefined,
  combine: (values: readonly number[]) => number = sum,
): SampledFamily {
  return {
    name,
    help,
    type: 'gauge',
    labelNames: ['queue'],
    combine,
    read: ({ snapshot }, detail) => {
      const isTogether = (queue: QueueSnapshot) =>
        !detail.temporaryQueues && (isTemporary(queue) || queue.queue === temporaryQueues);
      const own = snapshot.queues.filter((queue) => !isTogether(queue));
      const together = snapshot.queues.filter(isTogether).flatMap((queue) => value(queue) ?? []);
      const rest = together.length === 0 ? [] : [{ labels: { queue: temporaryQueues }, value: combine(together) }];
      return [...own.flatMap((queue) => series(queue, value(queue))), ...rest];
    },
  };
}

function series({ queue }: QueueSnapshot, value: number | undefined): Series[] {
  return value === undefined ? [] : [{ labels: { queue }, value }];
}

function isTemporary({ settings }: QueueSnapshot): boolean {
  return settings.exclusive || settings.autoDelete || settings.idleExpiryMs !== undefined;
}
