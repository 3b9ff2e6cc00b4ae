/** What a session needs of the options of its consumer. */
export interface SessionOptions {
  readonly queue: string;
  readonly name?: string | undefined;
  readonly priority: number;
  readonly leaseMs: number;
  readonly concurrency: number;
  readonly prefetch?: number | undefined;
}
