import { events, NotificationSent, notifications, Order } from '@demo/contracts';
import { type ExchangePublisher, InjectExchange, QueueHandler } from '@millrace/nestjs';
import { Injectable, Logger } from '@nestjs/common';

@Injectable()
export class NotificationSender {
  readonly #events: ExchangePublisher<typeof events.messages>;
  readonly #logger = new Logger('Notifications');

  constructor(@InjectExchange(events) publisher: ExchangePublisher<typeof events.messages>) {
    this.#events = publisher;
  }

  /** Everything that happens to orders, each event to one worker; when more come than the queue's limit lets out, they wait. */
  @QueueHandler({ queue: notifications, bind: [{ exchange: events, routingKey: 'order.*' }] })
  async send({ orderId, userId, items }: Order): Promise<void> {
    const goods = items.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ');
    this.#logger.log(`Notified ${userId}: order ${orderId} was created (${goods}).`);
    const sent: NotificationSent = { orderId };
    await this.#events.publish('notification.sent', sent, { messageId: orderId });
  }
}
