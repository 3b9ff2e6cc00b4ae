import { Order, orders } from '@demo/contracts';
import { Millrace } from '@millrace/nestjs';
import { Injectable } from '@nestjs/common';

export interface Sales {
  readonly orders: number;
  /** Pieces sold, by sku. */
  readonly sold: Readonly<Record<string, number>>;
}

@Injectable()
export class SalesReport {
  readonly #millrace: Millrace;

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
  }

  /** Replays the log, from its start or from a time, up to its end of this moment. No group's offset moves. */
  async since(time?: Date): Promise<Sales> {
    const { log } = this.#millrace;
    const from = time === undefined ? 'earliest' : { timestamp: time.getTime() };
    const sold: Record<string, number> = {};
    let count = 0;
    const { partitions } = await log.describeTopic(orders.name);
    for (let partition = 0; partition < partitions; partition++) {
      for await (const { value } of log.read<Order>({ topic: orders.name, partition, from })) {
        count++;
        for (const { sku, quantity } of value.items) sold[sku] = (sold[sku] ?? 0) + quantity;
      }
    }
    return { orders: count, sold };
  }
}
