import type { OrderItem } from '@demo/contracts';
import { Millrace } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';

const heldSeconds = 24 * 60 * 60;

/** Goods that are held for an order, for a day. To hold them again changes nothing, so a repeated delivery does no harm. */
@Injectable()
export class Reservations {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  async hold(orderId: string, items: readonly OrderItem[]): Promise<void> {
    await this.#redis.set(this.#key(orderId), JSON.stringify(items), 'EX', heldSeconds);
  }

  async of(orderId: string): Promise<OrderItem[] | undefined> {
    const items = await this.#redis.get(this.#key(orderId));
    return items === null ? undefined : (JSON.parse(items) as OrderItem[]);
  }

  get #redis() {
    return this.#millrace.connection.commands;
  }

  #key(orderId: string): string {
    return `${this.#millrace.connection.prefix}:inventory:{order:${orderId}}`;
  }
}
