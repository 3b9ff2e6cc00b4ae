import type { DiscoveredHandler } from './handler-discovery.js';
import type { HandlerPlan } from './handler-plan.js';
import { MillraceLogger } from './millrace-logger.js';

/**
 * Where the compiler writes no types down, nobody knows the class of a handler's payload, and its rules are not checked.
 * Says so, if the application has rules at all.
 */
export async function tellOfUnknownPayloads(
  handlers: readonly DiscoveredHandler[],
  plans: readonly HandlerPlan[],
): Promise<void> {
  const isChecked = (label: string): boolean =>
    plans.some((plan) => plan.label === label && (plan.validate !== undefined || !plan.millrace.options.logging));
  const unknown = handlers.filter(
    ({ kind, hasTypes, options, label }) =>
      (kind === 'log' || kind === 'queue') && !hasTypes && !saysType(options) && !isChecked(nameOf(options, label)),
  );
  if (unknown.length === 0 || !(await hasRules())) return;
  new MillraceLogger().warn(
    `Payloads of ${[...new Set(unknown.map(({ label }) => label))].join(', ')} are not validated: the classes of their parameters are unknown, ` +
      'because the compiler does not write types down. Turn on emitDecoratorMetadata in tsconfig.json (SWC: transform.decoratorMetadata), ' +
      'or give type in the handler or the definition; type: false says that nothing is to be validated.',
  );
}

function saysType(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'type' in options && options.type !== undefined;
}

function nameOf(options: unknown, label: string): string {
  const named = typeof options === 'object' && options !== null && 'name' in options ? options.name : undefined;
  return typeof named === 'string' ? named : label;
}

async function hasRules(): Promise<boolean> {
  const validator = await import('class-validator').catch(() => undefined);
  return validator?.getMetadataStorage().hasValidationMetaData === true;
}
