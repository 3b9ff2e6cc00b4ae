import type { OrderItem } from '@demo/contracts';
import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { Reservations } from './reservations.js';

@Controller('reservations')
export class ReservationsController {
  readonly #reservations: Reservations;

  constructor(reservations: Reservations) {
    this.#reservations = reservations;
  }

  @Get(':orderId')
  async find(@Param('orderId') orderId: string): Promise<{ items: OrderItem[] }> {
    const items = await this.#reservations.of(orderId);
    if (items === undefined) throw new NotFoundException(`Nothing is held for order ${orderId}.`);
    return { items };
  }
}
