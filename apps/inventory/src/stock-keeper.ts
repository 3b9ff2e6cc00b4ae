import { Order, orders } from '@demo/contracts';
import { LogHandler } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';
import { Reservations } from './reservations.js';

@Injectable()
export class StockKeeper {
  readonly #reservations: Reservations;

  constructor(reservations: Reservations) {
    this.#reservations = reservations;
  }

  /** A group of its own: it gets every order that the shop's group gets too, at its own pace. */
  @LogHandler({ topic: orders, group: 'inventory' })
  async reserve({ orderId, items }: Order): Promise<void> {
    await this.#reservations.hold(orderId, items);
  }
}
