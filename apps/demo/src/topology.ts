import { defineExchange, defineQueue, defineTopic } from '@millrace/nestjs';
import { Order } from './order.js';

/** The log of all orders. Its key is the user, so the orders of one user are handled in their order. */
export const orders = defineTopic({ name: 'orders', partitions: 4, type: Order });

/** Where the shop tells what happened; whoever wants to know binds a queue. */
export const events = defineExchange({ name: 'events', type: 'topic', messages: { 'order.created': Order } });

/** Notifications still to be sent. */
export const notifications = defineQueue({ name: 'notifications', type: Order });
