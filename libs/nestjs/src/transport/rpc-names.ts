/** The exchange that requests are published to; events have one of their own, so that a `#` for events sees no requests. */
export function requestsExchange(exchange: string): string {
  return `${exchange}.requests`;
}

/** The queue in which a service's requests wait; slow events do not hold them up. */
export function requestsQueue(queue: string): string {
  return `${queue}.requests`;
}
