import type { DeliveryContext } from '@millrace/delivery';
import type { MessageHandler } from '@nestjs/microservices';
import type { Millrace } from '../module/millrace.js';
import type { ConsumerPlan } from '../plans/consumer-plan.js';
import { consumerPlans } from '../plans/consumers-of-handlers.js';
import { withRejectionRule } from '../plans/not-retried.js';
import type { ResolvedHandler, ResolvedLogHandler, ResolvedQueueHandler } from '../plans/resolved-handler.js';
import { throwProblems } from '../topology/topology.js';
import type { MillraceServerOptions } from './transport-options.js';

/** One `@EventPattern` of one method. */
export interface EventPatternHandler {
  readonly pattern: string;
  readonly callback: MessageHandler;
  /** The decorator's last argument: options of a queue handler, or with `group` those of a log handler. */
  readonly extras: EventExtras;
}

type LogExtras = Pick<ResolvedLogHandler['options'], 'group'> & EventOptions<ResolvedLogHandler>;
type EventExtras = LogExtras | EventOptions<ResolvedQueueHandler>;
type EventOptions<H extends ResolvedHandler> = Partial<H['options'] & Pick<H, 'retry'>>;

type Run = (handler: EventPatternHandler, payload: unknown, context: DeliveryContext) => Promise<void>;

/** Plans the consumers of all event handlers. @throws {OptionsError} with every problem of every handler */
export function planEvents(
  handlers: readonly EventPatternHandler[],
  millrace: Millrace,
  options: MillraceServerOptions,
  run: Run,
): ConsumerPlan[] {
  const problems: string[] = [];
  const names = new Map<string, number>();
  const resolved = handlers.map((handler): ResolvedHandler => {
    const count = (names.get(handler.pattern) ?? 0) + 1;
    names.set(handler.pattern, count);
    const { retry, ...extras } = handler.extras;
    const shared = {
      label: count === 1 ? handler.pattern : `${handler.pattern} (${count})`,
      millrace,
      retry: withRejectionRule(retry ?? options.retry),
      run: (payload: unknown, context: DeliveryContext) => run(handler, payload, context),
      validate: undefined,
      isTypeUnknown: false,
    };
    return 'group' in extras
      ? { ...shared, kind: 'log', options: { topic: handler.pattern, ...extras } }
      : { ...shared, kind: 'queue', options: { ...queueOptions(handler, options), ...extras } };
  });
  const plans = consumerPlans(resolved, (problem) => problems.push(problem));
  throwProblems('MillraceServer', problems);
  return plans.map((plan) => (plan.queue === options.queue ? { ...plan, ownsQueue: true } : plan));
}

function queueOptions(
  { pattern }: EventPatternHandler,
  options: MillraceServerOptions,
): ResolvedQueueHandler['options'] {
  const { queue, exchange, concurrency, handlerTimeoutMs, abortGraceMs } = options;
  return {
    queue,
    bind: [{ exchange, routingKey: pattern }],
    pattern,
    concurrency,
    ...(handlerTimeoutMs === undefined ? {} : { handlerTimeoutMs }),
    ...(abortGraceMs === undefined ? {} : { abortGraceMs }),
  };
}
