/** One message as a consumer takes it. A class for the reason that PublicationTarget is one. */
export class Taken {
  constructor(
    readonly id: string,
    readonly frame: Buffer,
    /** The number in `counts`, see `readDeliveries`. */
    readonly deliveries = 0,
    /** JSON of which handlers are through with it. */
    readonly handled: string | undefined = undefined,
  ) {}
}
