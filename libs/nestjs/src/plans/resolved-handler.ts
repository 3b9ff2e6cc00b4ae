import { didYouMean, type RetryPolicy } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { isPayloadType, type PayloadType } from '../decorators/payload-type.js';
import type { DiscoveredHandler } from '../discovery/handler-discovery.js';
import type { Millrace } from '../module/millrace.js';
import { hasValidationRules, payloadValidation, type ValidatePayload } from '../pipeline/payload-validation.js';
import type { RunHandler } from '../pipeline/run-enhanced.js';
import { withRejectionRule } from './not-retried.js';
import { isPolicy, ownOptionProblems } from './own-options.js';

/** A handler with its connection and the check of its payloads, ready for a consumer. */
export interface ResolvedHandler {
  /** `OrderController.onOrder`, or the given name. */
  readonly label: string;
  /** Whether it handles records or messages, one at a time or in batches. */
  readonly kind: DiscoveredHandler['kind'];
  /** The connection it consumes over. */
  readonly millrace: Millrace;
  /** Options for the consumer: without those of libs/nestjs, with those of policy decorators. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The retry policy from `@Retry` or the options; `false`: no retries. */
  readonly retry: Partial<RetryPolicy> | false;
  /** Runs the method with guards, pipes, interceptors and filters. */
  readonly run: RunHandler;
  /** Validates a payload before `run`; undefined when no payload class or schema is known. */
  readonly validate: ((payload: unknown, context: DeliveryContext) => unknown) | undefined;
  /** Whether it may have a payload class that the compiler did not emit and that no option names. */
  readonly isTypeUnknown: boolean;
}

/** The properties of a handler, with or without a method of a provider. */
export type UnresolvedHandler = Omit<DiscoveredHandler, 'method'>;

/** The objects that are needed to resolve a handler. */
export interface ResolutionContext {
  readonly connections: ReadonlyMap<string, Millrace>;
  readonly pipeline: (globalEnhancers: boolean) => RunHandler;
  readonly report: (problem: string) => void;
}

/** Resolves a handler's options; reports problems and returns undefined when there are any. */
export async function resolveHandler(
  handler: UnresolvedHandler,
  { connections, pipeline, report }: ResolutionContext,
): Promise<ResolvedHandler | undefined> {
  const { label, kind, policies } = handler;
  if (typeof handler.options !== 'object' || handler.options === null) {
    report(`${label}: its options must be an object, got ${typeof handler.options}`);
    return undefined;
  }
  const given: Record<string, unknown> = { ...handler.options, ...policies };
  const { connection = 'default', type, name = label, globalEnhancers, retry, ...options } = given;
  for (const problem of ownOptionProblems(kind, given)) report(`${label}: ${problem}`);
  const millrace = connections.get(String(connection));
  if (millrace === undefined) {
    const known = [...connections.keys()];
    report(`${label}: there is no connection ${JSON.stringify(connection)}${didYouMean(connection, known)}`);
    return undefined;
  }
  const payloadType = await payloadTypeOf(type, options.topic ?? options.queue, handler.payloadClass);
  if (payloadType !== undefined && !isPayloadType(payloadType)) {
    report(`${label}: type must be a class or a Standard Schema`);
    return undefined;
  }
  return {
    label: typeof name === 'string' ? name : label,
    kind,
    millrace,
    options,
    retry: withRejectionRule(isPolicy(retry) ? (retry as Partial<RetryPolicy> | false | undefined) : undefined),
    run: pipeline(typeof globalEnhancers === 'boolean' ? globalEnhancers : millrace.options.globalEnhancers),
    validate: await validationOf(payloadType, millrace),
    isTypeUnknown: takesOne(kind) && !handler.hasTypes && type === undefined && payloadType === undefined,
  };
}

/** Whether the handler's parameter is one payload, whose class can be known; for a batch it is a list. */
function takesOne(kind: ResolvedHandler['kind']): boolean {
  return kind === 'log' || kind === 'queue';
}

/** The type from the options, the definition, or the parameter's class if class-validator has rules for it. */
async function payloadTypeOf(type: unknown, source: unknown, payloadClass: unknown): Promise<unknown> {
  if (type === false) return undefined;
  if (type !== undefined) return type;
  if (typeof source === 'object' && source !== null && 'type' in source) return source.type;
  return (await hasValidationRules(payloadClass)) ? payloadClass : undefined;
}

async function validationOf(
  type: PayloadType | undefined,
  { options }: Millrace,
): Promise<ResolvedHandler['validate']> {
  if (type === undefined) return undefined;
  const check: ValidatePayload = await payloadValidation(type, options.validation);
  return (payload, context) => check(payload, context.describe());
}
