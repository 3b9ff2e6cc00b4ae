import { defineExchange, defineQueue, defineTopic } from '@millrace/nestjs';
import { GpsFix } from './gps-fix.js';
import { NotificationSent } from './notification-sent.js';
import { Order } from './order.js';

const day = 24 * 60 * 60 * 1000;
const mebibyte = 1024 * 1024;

/** The log of all orders. Its key is the user, so the orders of one user are handled in their order. */
export const orders = defineTopic({
  name: 'orders',
  partitions: 4,
  retention: { maxAgeMs: 7 * day, maxBytes: 8 * mebibyte },
  type: Order,
});

/** The log of where cabs were. Its key is the cab, so the fixes of one cab are handled in their order. */
export const gpsFixes = defineTopic({
  name: 'gps-fixes',
  partitions: 4,
  retention: { maxAgeMs: day, maxBytes: 8 * mebibyte },
  type: GpsFix,
});

/** Where services publish what happened; a service that wants to know binds a queue. */
export const events = defineExchange({
  name: 'events',
  type: 'topic',
  messages: { 'order.created': Order, 'notification.sent': NotificationSent },
});

/** Notifications still to be sent. The provider takes 15 a second from us, however many consumers there are. */
export const notifications = defineQueue({ name: 'notifications', maxPerSecond: 15, type: Order });

/** What the shop has to be told about its orders. */
export const orderNews = defineQueue({ name: 'order-news', type: NotificationSent });
