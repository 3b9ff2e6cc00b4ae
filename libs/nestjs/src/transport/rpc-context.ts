import { DeliveryContext } from '@millrace/delivery';
import { BaseRpcContext } from '@nestjs/microservices';

/** What `@Ctx()` gives in `@EventPattern` and `@MessagePattern` handlers. */
export class MillraceContext extends BaseRpcContext<[DeliveryContext, string]> {
  /** What was sent beside the data, by a client's dispatch hook: a trace id, a tenant. */
  readonly metadata: Readonly<Record<string, string>>;

  constructor(
    delivery: DeliveryContext,
    pattern: string,
    metadata: Readonly<Record<string, string>> = {},
    /** Whether a failure is retried by policy (an event), instead of told to the one who asked. */
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

  /** Aborted when the one who asked cancelled, the deadline passed, or the lease was lost. */
  get signal(): AbortSignal {
    return this.args[0].signal;
  }
}
