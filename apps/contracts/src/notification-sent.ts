import { IsUUID } from 'class-validator';

/** The customer knows that his order was created. */
export class NotificationSent {
  @IsUUID()
  orderId!: string;
}
