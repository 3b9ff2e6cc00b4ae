/** What is kept of a completed message. */
export interface KeptResult {
  readonly attempt: number;
  readonly deliveryCount: number;
  readonly value?: unknown;
}
