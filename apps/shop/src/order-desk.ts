import { events, NotificationSent, Order, orderNews, orders } from '@demo/contracts';
import { type ExchangePublisher, InjectExchange, LogHandler, QueueHandler, Retry } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';
import { OrderBook } from './order-book.js';

@Injectable()
export class OrderDesk {
  readonly #events: ExchangePublisher<typeof events.messages>;
  readonly #book: OrderBook;

  constructor(@InjectExchange(events) publisher: ExchangePublisher<typeof events.messages>, book: OrderBook) {
    this.#events = publisher;
    this.#book = book;
  }

  /**
   * The log: every order, in each user's order. The event's message id makes a repeated delivery publish it once;
   * `mandatory` makes it fail, and be tried again, as long as no queue is bound for it.
   */
  @LogHandler({ topic: orders, group: 'order-desk' })
  @Retry({ maxRetries: 10 })
  async confirm(order: Order): Promise<void> {
    await this.#book.confirm(order);
    await this.#events.publish('order.created', order, { messageId: order.orderId, mandatory: true });
  }

  /** The queue: what other services tell about orders. */
  @QueueHandler({ queue: orderNews, bind: [{ exchange: events, routingKey: 'notification.sent' }] })
  async markNotified({ orderId }: NotificationSent): Promise<void> {
    await this.#book.markNotified(orderId);
  }
}
