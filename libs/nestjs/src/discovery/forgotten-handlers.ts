import { takeHandlerClasses } from '../decorators/handler-classes.js';
import { MillraceLogger } from '../module/millrace-logger.js';

/**
 * Warns, once per class, of classes that have handlers and are no provider of the application; `found`: the prototypes of those that are.
 * A file that is not imported is unknown, and without a MillraceModule nothing looks.
 */
export function warnOfForgottenHandlers(found: ReadonlySet<object>): void {
  const forgotten = takeHandlerClasses().filter((prototype) => !isFound(prototype, found));
  if (forgotten.length === 0) return;
  const names = forgotten.map((prototype) => prototype.constructor.name).join(', ');
  new MillraceLogger().warn(
    `The handlers of ${names} never run: no module of this application provides the class. Add it to the providers of a module; ` +
      'of a module that is loaded lazily, call Consumers.discover().',
  );
}

/** Whether a provider is of this class, or of one that extends it. */
function isFound(prototype: object, found: ReadonlySet<object>): boolean {
  return [...found].some((other) => other === prototype || Object.prototype.isPrototypeOf.call(prototype, other));
}
