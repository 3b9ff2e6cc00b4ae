import type { Events } from '@millrace/delivery';
import type { Receipt } from '../model/receipt.js';

/** Emits the result of a message: its receipt, or undefined when it failed. */
export function emitPublished(
  events: Events,
  exchange: string,
  receipt: Receipt | undefined,
  isUnroutable = receipt?.isUnroutable === true,
): void {
  if (!events.has('published')) return;
  const routed = receipt === undefined ? 0 : receipt.queues.length + receipt.topics.length;
  events.emit('published', { exchange, isConfirmed: receipt !== undefined, routed, isUnroutable });
}
