import type { ConsumerPlan } from './consumer-plan.js';
import type { HandlerPlan } from './handler-plan.js';
import { logConsumers } from './log-consumers.js';
import { queueConsumers } from './queue-consumers.js';

/** One consumer for each source that handlers name. Problems are reported, each with its handler. */
export function consumerPlans(plans: readonly HandlerPlan[], report: (problem: string) => void): ConsumerPlan[] {
  const ofQueues = plans.filter(({ kind }) => kind === 'queue' || kind === 'queue-batch');
  const ofLogs = plans.filter(({ kind }) => kind === 'log' || kind === 'log-batch');
  return [...queueConsumers(ofQueues, report), ...logConsumers(ofLogs, report)];
}
