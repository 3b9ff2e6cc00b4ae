/** One message as a consumer takes it. A class: see docs/decisions/0008. */
export class Taken {
  constructor(
    readonly id: string,
    readonly frame: Buffer,
    /** The number in `counts`, see `readDeliveries`. */
    readonly deliveries = 0,
    /** JSON of the handlers that are done with it. */
    readonly handled: string | undefined = undefined,
  ) {}
}
