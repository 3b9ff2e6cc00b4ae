import { type ExchangePublisher, InjectExchange, LogHandler, QueueHandler } from '@millrace/nestjs';
import { Injectable, Logger } from '@nestjs/common';
import type { Order } from './order.js';
import { OrderBook } from './order-book.js';
import { events, notifications, orders } from './topology.js';

@Injectable()
export class OrderHandlers {
  readonly #events: ExchangePublisher<typeof events.messages>;
  readonly #book: OrderBook;
  readonly #logger = new Logger('Shop');

  constructor(@InjectExchange(events) publisher: ExchangePublisher<typeof events.messages>, book: OrderBook) {
    this.#events = publisher;
    this.#book = book;
  }

  /** The log: every order, in each user's order. The event's message id makes a repeated delivery publish it once. */
  @LogHandler({ topic: orders, group: 'order-desk' })
  async onOrder(order: Order): Promise<void> {
    await this.#book.confirm(order);
    await this.#events.publish('order.created', order, { messageId: order.orderId, mandatory: true });
  }

  /** The queue: everything that happens to orders, each event to one worker. */
  @QueueHandler({ queue: notifications, bind: [{ exchange: 'events', routingKey: 'order.*' }] })
  async onNotification(order: Order): Promise<void> {
    this.#logger.log(`Notified ${order.userId}: order ${order.orderId} was created (${order.items.length} items).`);
    await this.#book.markNotified(order);
  }
}
