import type { Order } from '@demo/contracts';
import { Millrace } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';

/** `accepted` when it stands in the log, `confirmed` by the log's consumer, `notified` once the customer knows too. */
export type OrderStatus = 'accepted' | 'confirmed' | 'notified';

export type OrderView = Order & { readonly status: OrderStatus };

const keptSeconds = 24 * 60 * 60;

/** What became of each order: a hash an order, in the same Redis. Every write may be repeated, as deliveries may be. */
@Injectable()
export class OrderBook {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  async accept(order: Order): Promise<void> {
    await this.#write(order.orderId, { order: JSON.stringify(order) });
  }

  async confirm(order: Order): Promise<void> {
    await this.#write(order.orderId, { order: JSON.stringify(order), confirmed: '1' });
  }

  async markNotified(orderId: string): Promise<void> {
    await this.#write(orderId, { notified: '1' });
  }

  /** `undefined` when no such order was ever accepted. */
  async find(orderId: string): Promise<OrderView | undefined> {
    const { order, confirmed, notified } = await this.#redis.hgetall(this.#key(orderId));
    if (order === undefined) return undefined;
    const status = confirmed && notified ? 'notified' : confirmed ? 'confirmed' : 'accepted';
    return { ...(JSON.parse(order) as Order), status };
  }

  async #write(orderId: string, fields: Record<string, string>): Promise<void> {
    const key = this.#key(orderId);
    await this.#redis.hset(key, fields);
    await this.#redis.expire(key, keptSeconds);
  }

  get #redis() {
    return this.#millrace.connection.commands;
  }

  #key(orderId: string): string {
    return `${this.#millrace.connection.prefix}:shop:{order:${orderId}}`;
  }
}
