import { DeliveryContext } from '@millrace/delivery';
import { BaseRpcContext } from '@nestjs/microservices';

/** The value of `@Ctx()` in `@EventPattern` and `@MessagePattern` handlers. */
export class MillraceContext extends BaseRpcContext<[DeliveryContext, string]> {
  /** Values that a client's dispatch hook sent with the data: a trace id, a tenant. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(
    delivery: DeliveryContext,
    pattern: string,
    metadata: Readonly<Record<string, string>> = {},
    /** Whether a failure is retried by policy (an event) instead of being sent to the requester. */
    readonly isEvent = true,
  ) {
    super([delivery, pattern]);
    this.metadata = metadata;
  }

  /** The `MessageContext` or `RecordContext`: headers, attempt, offset, `extend()`, `progress()` … */
  getMessage<C extends DeliveryContext = DeliveryContext>(): C {
    return this.args[0] as C;
  }

  /** The routing key, or the topic. */
  getPattern(): string {
    return this.args[1];
  }

  /** Aborted when the requester cancelled, the deadline passed, or the lease was lost. */
  get signal(): AbortSignal {
    return this.args[0].signal;
  }
}
