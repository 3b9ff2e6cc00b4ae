import { MillraceLogger } from '../module/millrace-logger.js';
import type { ResolvedHandler } from '../plans/resolved-handler.js';

/**
 * Warns of handlers whose payloads are not validated because the compiler emits no types, so that the class of a payload is unknown. Only
 * if the application has validation rules.
 */
export async function warnOfUnknownPayloads(handlers: readonly ResolvedHandler[]): Promise<void> {
  const unknown = handlers.filter(({ isTypeUnknown, millrace }) => isTypeUnknown && millrace.options.logging);
  if (unknown.length === 0 || !(await hasRules())) return;
  new MillraceLogger().warn(
    `Payloads of ${[...new Set(unknown.map(({ label }) => label))].join(', ')} are not validated: the classes of their parameters are unknown, ` +
      'because the compiler does not emit types. Turn on emitDecoratorMetadata in tsconfig.json (SWC: transform.decoratorMetadata), ' +
      'or give type in the handler or the definition; type: false turns validation off.',
  );
}

async function hasRules(): Promise<boolean> {
  const validator = await import('class-validator').catch(() => undefined);
  return validator?.getMetadataStorage().hasValidationMetaData === true;
}
