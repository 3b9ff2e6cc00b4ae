/** The exchange that requests are published to; events have another one, so that a `#` for events matches no requests. */
export function requestsExchange(exchange: string): string {
  return `${exchange}.requests`;
}

/** The queue in which a service's requests wait, so that slow events do not delay them. */
export function requestsQueue(queue: string): string {
  return `${queue}.requests`;
}
