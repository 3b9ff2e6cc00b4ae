import { didYouMean, type RetryPolicy } from '@millrace/core';
import type { DeliveryContext } from '@millrace/delivery';
import { isPayloadType, type PayloadType } from '../decorators/payload-type.js';
import type { DiscoveredHandler } from '../discovery/handler-discovery.js';
import type { Millrace } from '../module/millrace.js';
import { hasValidationRules, payloadValidation, type ValidatePayload } from '../pipeline/payload-validation.js';
import type { RunHandler } from '../pipeline/run-enhanced.js';
import { withRejectionRule } from './not-retried.js';
import { isPolicy, ownOptionProblems } from './own-options.js';

/** A handler that knows its connection and how its payloads are checked, ready to be given to a consumer. */
export interface ResolvedHandler {
  /** `OrderController.onOrder`, or the name that was given. */
  readonly label: string;
  /** Of the log or of a queue, one at a time or in batches. */
  readonly kind: DiscoveredHandler['kind'];
  /** The connection it consumes over. */
  readonly millrace: Millrace;
  /** Options for the consumer: what is ours is taken out, what decorators said is put in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What `@Retry` or the options say of failures; `false`: none is tried again. */
  readonly retry: Partial<RetryPolicy> | false;
  /** Runs the method with guards, pipes, interceptors and filters. */
  readonly run: RunHandler;
  /** Checks a payload before `run`; undefined where no payload class or schema is known. */
  readonly validate: ((payload: unknown, context: DeliveryContext) => unknown) | undefined;
  /** Whether it may have a payload class that the compiler did not write down, and that nothing else names. */
  readonly isTypeUnknown: boolean;
}

/** What is known of a handler, with or without a method that Nest knows. */
export type UnresolvedHandler = Omit<DiscoveredHandler, 'method'>;

/** What a handler is resolved with. */
export interface ResolutionContext {
  readonly connections: ReadonlyMap<string, Millrace>;
  readonly pipeline: (globalEnhancers: boolean) => RunHandler;
  readonly report: (problem: string) => void;
}

/** Resolves a handler's options; undefined when something is wrong with them, which is reported. */
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

/** Whether the handler's parameter is one payload, whose class can be known; that of a batch is a list. */
function takesOne(kind: ResolvedHandler['kind']): boolean {
  return kind === 'log' || kind === 'queue';
}

/** From the options, or the definition, or the parameter's class where class-validator has rules for it. */
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
