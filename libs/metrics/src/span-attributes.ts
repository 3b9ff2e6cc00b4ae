import type { Headers } from '@millrace/core';
import type { Attributes } from '@opentelemetry/api';

/** The properties of record and message contexts that become attributes; each kind has some of them. */
export interface Delivered {
  readonly attempt?: number;
  readonly headers?: Headers;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly key?: string | undefined;
  readonly group?: string;
  readonly queue?: string;
  readonly messageId?: string;
  readonly routingKey?: string;
}

/** The attributes of a delivery, by OpenTelemetry's conventions for messaging; attributes beyond them have Millrace's names. */
export function attributesOf(delivered: Delivered, { isOneOfMany = false } = {}): Attributes {
  const { topic, queue, partition, group } = delivered;
  return {
    'messaging.system': 'millrace',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topic ?? queue,
    'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
    'messaging.consumer.group.name': group,
    ...(isOneOfMany ? {} : attributesOfOne(delivered)),
  };
}

function attributesOfOne({ messageId, offset, key, routingKey, attempt }: Delivered): Attributes {
  return {
    'messaging.message.id': messageId,
    'messaging.millrace.offset': offset,
    'messaging.millrace.key': key,
    'messaging.millrace.routing_key': routingKey,
    'messaging.millrace.attempt': attempt,
  };
}
