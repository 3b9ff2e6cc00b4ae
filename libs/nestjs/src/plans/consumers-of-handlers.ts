import { isOfLog } from '../decorators/handler-decorators.js';
import type { ConsumerPlan } from './consumer-plan.js';
import { logConsumers } from './log-consumer-plans.js';
import { queueConsumers } from './queue-consumer-plans.js';
import type { ResolvedHandler } from './resolved-handler.js';

/** One consumer per source of the handlers. Problems are reported, each with its handler. */
export function consumerPlans(handlers: readonly ResolvedHandler[], report: (problem: string) => void): ConsumerPlan[] {
  const ofQueues = handlers.filter((handler) => !isOfLog(handler));
  return [...queueConsumers(ofQueues, report), ...logConsumers(handlers.filter(isOfLog), report)];
}
