import { Millrace } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';
import type { Order } from './order.js';

/** `accepted` when it stands in the log, `confirmed` by the log's consumer, `notified` once the queue's consumer ran too. */
export type OrderStatus = 'accepted' | 'confirmed' | 'notified';

export type OrderView = Order & { readonly status: OrderStatus };

/** What became of each order: a hash an order, in the same Redis. Every write may be repeated, as deliveries may be. */
@Injectable()
export class OrderBook {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  /** The order as it was accepted. */
  async confirm(order: Order): Promise<void> {
    await this.#redis.hset(this.#key(order.orderId), { order: JSON.stringify(order), confirmed: '1' });
  }

  async markNotified(order: Order): Promise<void> {
    await this.#redis.hset(this.#key(order.orderId), { order: JSON.stringify(order), notified: '1' });
  }

  async accept(order: Order): Promise<void> {
    await this.#redis.hsetnx(this.#key(order.orderId), 'order', JSON.stringify(order));
  }

  /** `undefined` when no such order was ever accepted. */
  async find(orderId: string): Promise<OrderView | undefined> {
    const { order, confirmed, notified } = await this.#redis.hgetall(this.#key(orderId));
    if (order === undefined) return undefined;
    const status = confirmed && notified ? 'notified' : confirmed ? 'confirmed' : 'accepted';
    return { ...(JSON.parse(order) as Order), status };
  }

  get #redis() {
    return this.#millrace.connection.commands;
  }

  #key(orderId: string): string {
    return `${this.#millrace.connection.prefix}:demo:{order:${orderId}}`;
  }
}
