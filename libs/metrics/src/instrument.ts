import type { Log, Producer } from '@millrace/log';
import type { Broker } from '@millrace/queue';
import { type TraceApi, Tracing } from './tracing.js';

/** The objects to trace. */
export interface Traced {
  /** Its producers and its consumers are traced. */
  readonly log?: Log | undefined;
  /** Its publishing and its consumers are traced. */
  readonly broker?: Broker | undefined;
}

/**
 * Traces everything that a Log and a Broker send and handle from now on: call it before producers and consumers are made. Returns false,
 * and changes nothing, when `@opentelemetry/api` is not installed.
 */
export async function instrument(traced: Traced): Promise<boolean> {
  const api = await findTraceApi();
  if (api !== undefined) instrumentWith(traced, new Tracing(api));
  return api !== undefined;
}

/** As `instrument`, with a given Tracing. */
export function instrumentWith({ log, broker }: Traced, tracing: Tracing): void {
  if (log !== undefined) instrumentLog(log, tracing);
  if (broker !== undefined) instrumentBroker(broker, tracing);
}

async function findTraceApi(): Promise<TraceApi | undefined> {
  try {
    return await import('@opentelemetry/api');
  } catch {
    return undefined;
  }
}

function instrumentLog(log: Log, tracing: Tracing): void {
  const producer = log.producer.bind(log);
  log.producer = (options) => instrumentProducer(producer(options), tracing);
  const consumer = log.consumer.bind(log);
  log.consumer = (options) => {
    const { batchHandler, middleware = [] } = options;
    if (batchHandler === undefined) return consumer({ ...options, middleware: [tracing.middleware, ...middleware] });
    return consumer({
      ...options,
      batchHandler: (records, context) => tracing.batch(context, records, async () => batchHandler(records, context)),
    });
  };
}

function instrumentProducer(producer: Producer, tracing: Tracing): Producer {
  const send = producer.send.bind(producer);
  producer.send = (record) =>
    tracing.send({ destination: record.topic, operation: 'send' }, (withContext) => {
      const headers = withContext(record.headers);
      return send(headers === undefined ? record : { ...record, headers });
    });
  const sendBatch = producer.sendBatch.bind(producer);
  producer.sendBatch = (records) => {
    const destination = records[0]?.topic ?? '';
    const attributes = { 'messaging.batch.message_count': records.length };
    return tracing.send({ destination, operation: 'send', attributes }, (withContext) =>
      sendBatch(records.map((record) => ({ ...record, headers: withContext(record.headers) }))),
    );
  };
  return producer;
}

function instrumentBroker(broker: Broker, tracing: Tracing): void {
  const publish = broker.publish.bind(broker);
  broker.publish = (exchange, routingKey, body, properties) => {
    const attributes = { 'messaging.millrace.routing_key': routingKey };
    return tracing.send({ destination: exchange, operation: 'publish', attributes }, (withContext) =>
      publish(exchange, routingKey, body, { ...properties, headers: withContext(properties?.headers) }),
    );
  };
  const sendToQueue = broker.sendToQueue.bind(broker);
  broker.sendToQueue = (queue, body, properties) =>
    tracing.send({ destination: queue, operation: 'send' }, (withContext) =>
      sendToQueue(queue, body, { ...properties, headers: withContext(properties?.headers) }),
    );
  const publishBatch = broker.publishBatch.bind(broker);
  broker.publishBatch = (messages) => {
    const attributes = { 'messaging.batch.message_count': messages.length };
    const destination = messages[0]?.exchange ?? '';
    return tracing.send({ destination, operation: 'publish', attributes }, (withContext) =>
      publishBatch(
        messages.map((message) => ({
          ...message,
          properties: { ...message.properties, headers: withContext(message.properties?.headers) },
        })),
      ),
    );
  };
  const consumer = broker.consumer.bind(broker);
  broker.consumer = (options) => {
    const { batchHandler, middleware = [] } = options;
    if (batchHandler === undefined) return consumer({ ...options, middleware: [tracing.middleware, ...middleware] });
    return consumer({
      ...options,
      batchHandler: (messages, context) =>
        tracing.batch(
          context,
          messages.map((message) => message.context),
          async () => batchHandler(messages, context),
        ),
    });
  };
}
