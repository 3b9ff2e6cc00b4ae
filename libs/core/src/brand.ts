/** The property of a class's prototype that holds its brand. */
const brandKey = Symbol.for('millrace.brand');

/**
 * Lets `instanceof` recognise an object that another copy of Millrace made, by the name of its class: `brand({ OptionsError })`. A
 * process has two copies when one part of it uses `import` and another `require`, or when two versions are installed.
 */
export function brand(classes: Readonly<Record<string, abstract new (...args: never[]) => unknown>>): void {
  for (const [name, type] of Object.entries(classes)) {
    Object.defineProperty(type.prototype, brandKey, { value: name });
    Object.defineProperty(type, Symbol.hasInstance, { value: recognises });
  }
}

/** Whether an object is an instance of the class itself, not of the same class of another copy. */
export function isOwnInstance(value: unknown, type: abstract new (...args: never[]) => unknown): boolean {
  return Reflect.apply(Function.prototype[Symbol.hasInstance], type, [value]);
}

function recognises(this: abstract new (...args: never[]) => unknown, value: unknown): boolean {
  if (isOwnInstance(value, this)) return true;
  if (typeof value !== 'object' || value === null) return false;
  // A user's subclass inherits this function, and has no brand of its own.
  const wanted = brandOf(this.prototype);
  if (wanted === undefined) return false;
  for (let above = Object.getPrototypeOf(value); above !== null; above = Object.getPrototypeOf(above)) {
    if (brandOf(above) === wanted) return true;
  }
  return false;
}

function brandOf(prototype: object): unknown {
  return Object.getOwnPropertyDescriptor(prototype, brandKey)?.value;
}
