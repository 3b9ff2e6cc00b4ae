import { didYouMean, type RetryPolicy } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { type HandlerSource, isOfLog } from '../decorators/handler-decorators.js';
import type {
  AnyLogHandlerOptions,
  AnyQueueHandlerOptions,
  SharedHandlerOptions,
} from '../decorators/handler-options.js';
import { isPayloadType, type PayloadType } from '../decorators/payload-type.js';
import type { HandlerPolicies } from '../decorators/policy-decorators.js';
import type { DiscoveredHandler } from '../discovery/handler-discovery.js';
import type { Millrace } from '../module/millrace.js';
import { hasValidationRules, payloadValidation, type ValidatePayload } from '../pipeline/payload-validation.js';
import type { RunHandler } from '../pipeline/run-enhanced.js';
import { isRetryPolicy, withRejectionRule } from './not-retried.js';
import { ownOptionProblems } from './own-options.js';

/** A handler with its connection and the check of its payloads, ready for a consumer. */
export type ResolvedHandler = ResolvedLogHandler | ResolvedQueueHandler;

/** A handler of a log's records. */
export interface ResolvedLogHandler extends Resolved {
  /** Whether it handles records one at a time or in batches. */
  readonly kind: 'log' | 'log-batch';
  /** Options for the consumer: without those of all handlers, with those of policy decorators. */
  readonly options: WithoutShared<AnyLogHandlerOptions>;
}

/** A handler of a queue's messages. */
export interface ResolvedQueueHandler extends Resolved {
  /** Whether it handles messages one at a time or in batches. */
  readonly kind: 'queue' | 'queue-batch';
  /** Options for the consumer: without those of all handlers, with those of policy decorators. */
  readonly options: WithoutShared<AnyQueueHandlerOptions> & Pick<HandlerPolicies, 'deadLetter'>;
}

/** What a handler of either half has. */
interface Resolved {
  /** `OrderController.onOrder`, or the given name. */
  readonly label: string;
  /** The connection it consumes over. */
  readonly millrace: Millrace;
  /** The retry policy from `@Retry` or the options; `false`: no retries. */
  readonly retry: Partial<RetryPolicy> | false;
  /** Runs the method with guards, pipes, interceptors and filters. */
  readonly run: RunHandler;
  /** Validates a payload before `run`; undefined when no payload class or schema is known. */
  readonly validate: ((payload: unknown, context: DeliveryContext) => unknown) | undefined;
  /** Whether it may have a payload class that the compiler did not emit and that no option names. */
  readonly isTypeUnknown: boolean;
}

/** The options that are resolved for handlers of both halves alike. */
type SharedOption = keyof SharedHandlerOptions | 'retry';
type WithoutShared<O> = Omit<O, SharedOption>;

/** The properties of a handler, with or without a method of a provider. */
export type UnresolvedHandler = HandlerSource & Omit<DiscoveredHandler, 'method' | keyof HandlerSource>;

/** The objects that are needed to resolve a handler. */
export interface ResolutionContext {
  readonly connections: ReadonlyMap<string, Millrace>;
  readonly pipeline: (globalEnhancers: boolean) => RunHandler;
  readonly report: (problem: string) => void;
}

/** Resolves a handler's options; reports problems and returns undefined when there are any. */
export async function resolveHandler(
  handler: UnresolvedHandler,
  context: ResolutionContext,
): Promise<ResolvedHandler | undefined> {
  const { label, policies } = handler;
  if (typeof handler.options !== 'object' || handler.options === null) {
    context.report(`${label}: its options must be an object, got ${typeof handler.options}`);
    return undefined;
  }
  if (isOfLog(handler)) {
    const { kind } = handler;
    const options: AnyLogHandlerOptions = { ...handler.options, ...policies };
    const resolved = await resolveShared(handler, { kind, options }, options.topic, context);
    return resolved && { ...resolved, kind, options: withoutShared(options) };
  }
  const { kind } = handler;
  const options = { ...handler.options, ...policies };
  const resolved = await resolveShared(handler, { kind, options }, options.queue, context);
  return resolved && { ...resolved, kind, options: withoutShared(options) };
}

async function resolveShared(
  { label, payloadClass, hasTypes }: Omit<UnresolvedHandler, keyof HandlerSource>,
  given: HandlerSource,
  source: unknown,
  { connections, pipeline, report }: ResolutionContext,
): Promise<Resolved | undefined> {
  const { connection = 'default', type, name = label, globalEnhancers, retry } = given.options;
  for (const problem of ownOptionProblems(given)) report(`${label}: ${problem}`);
  const millrace = connections.get(String(connection));
  if (millrace === undefined) {
    const known = [...connections.keys()];
    report(`${label}: there is no connection ${JSON.stringify(connection)}${didYouMean(connection, known)}`);
    return undefined;
  }
  const payloadType = await payloadTypeOf(type, source, payloadClass);
  if (payloadType !== undefined && !isPayloadType(payloadType)) {
    report(`${label}: type must be a class or a Standard Schema`);
    return undefined;
  }
  return {
    label: typeof name === 'string' ? name : label,
    millrace,
    retry: withRejectionRule(isRetryPolicy(retry) ? retry : undefined),
    run: pipeline(typeof globalEnhancers === 'boolean' ? globalEnhancers : millrace.options.globalEnhancers),
    validate: await validationOf(payloadType, millrace),
    isTypeUnknown: takesOne(given.kind) && !hasTypes && type === undefined && payloadType === undefined,
  };
}

function withoutShared<O extends SharedHandlerOptions & { readonly retry?: unknown }>(options: O): WithoutShared<O> {
  const { connection, type, name, globalEnhancers, retry, ...rest } = options;
  return rest;
}

/** Whether the handler's parameter is one payload, whose class can be known; for a batch it is a list. */
function takesOne(kind: ResolvedHandler['kind']): boolean {
  return kind === 'log' || kind === 'queue';
}

/** The type from the options, the definition, or the parameter's class if class-validator has rules for it. */
async function payloadTypeOf(type: unknown, source: unknown, payloadClass: unknown): Promise<unknown> {
  if (type === false) return undefined;
  if (type !== undefined) return type;
  if (typeof source === 'object' && source !== null && 'type' in source && source.type !== undefined)
    return source.type;
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
