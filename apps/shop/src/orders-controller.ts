import { randomUUID } from 'node:crypto';
import { Order, orders, PlaceOrder } from '@demo/contracts';
import { InjectProducer, type TopicHandle } from '@millrace/nestjs';
import { Body, Controller, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { OrderBook, type OrderView } from './order-book.js';

@Controller('orders')
export class OrdersController {
  readonly #orders: TopicHandle<Order>;
  readonly #book: OrderBook;

  constructor(@InjectProducer(orders) producer: TopicHandle<Order>, book: OrderBook) {
    this.#orders = producer;
    this.#book = book;
  }

  /** One confirmed write, the record: whatever else happens to an order follows from it, so nothing can be half done. */
  @Post()
  @HttpCode(202)
  async place(@Body() placed: PlaceOrder): Promise<{ orderId: string }> {
    const order: Order = { orderId: randomUUID(), ...placed };
    await this.#orders.send({ key: order.userId, value: order });
    await this.#book.accept(order);
    return { orderId: order.orderId };
  }

  @Get(':orderId')
  async find(@Param('orderId') orderId: string): Promise<OrderView> {
    const order = await this.#book.find(orderId);
    if (order === undefined) throw new NotFoundException(`There is no order ${orderId}.`);
    return order;
  }
}
