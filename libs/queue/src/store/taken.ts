/** One message as a consumer takes it. A class for the same reason as PublicationTarget. */
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
