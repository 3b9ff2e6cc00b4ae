/**
 * The shared parts of log and queue consumers: deliveries, events, start and stop.
 *
 * @module @millrace/delivery
 */
export { type DeliveryPlan, deliver, deliverTo } from './deliver.js';
export { DeliveryContext, type DeliveryTerms, defaultAbortGraceMs } from './delivery-context.js';
export type { HandlerLabels, MessageIdentity, RunningConsumer } from './event-labels.js';
export { Events, type MillraceEvents } from './events.js';
export { FirstUse } from './first-use.js';
export { type HandlerGenerator, isGenerator, runToEnd } from './generator.js';
export { HandledRun } from './handled-run.js';
export { InFlight } from './in-flight.js';
export { isInsideHandler, runOutsideHandlers, waitOutsideHandlers } from './inside-handler.js';
export { emitLateOutcome } from './late-outcome.js';
export { Lifecycle, type LifecycleState, type Service, type StopOptions } from './lifecycle.js';
export { type Handler, type Middleware, withMiddleware } from './middleware.js';
export { keepPace } from './pace.js';
export { PauseWait } from './pause-wait.js';
export { type Poll, PollLoop } from './poll-loop.js';
export { RateLimit } from './rate-limit.js';
