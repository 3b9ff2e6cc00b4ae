/** The exchange that requests are published to; events have one of their own, so that a `#` for events sees no requests. */
export function requestsExchange(exchange: string): string {
  return `${exchange}.requests`;
}

/** Where clients tell all servers that they no longer wait for an answer. */
export function cancellationsExchange(exchange: string): string {
  return `${exchange}.cancellations`;
}

/** The queue in which a service's requests wait; slow events do not hold them up. */
export function requestsQueue(queue: string): string {
  return `${queue}.requests`;
}
