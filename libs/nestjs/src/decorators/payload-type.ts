/**
 * The class with class-validator decorators, or the Standard Schema (Zod, Valibot, ArkType …; https://standardschema.dev), that payloads
 * must satisfy. Its type parameter is the type that publishers must give and handlers receive.
 */
export type PayloadType<T = unknown> = PayloadClass<T> | StandardSchema<T>;

/** A class whose class-validator decorators define what is valid. */
export type PayloadClass<T = unknown> = new (...args: never[]) => T;

/** The part of Standard Schema v1 that is used here; every library that follows the standard satisfies it. */
export interface StandardSchema<T = unknown> {
  /** The properties of the standard: `validate` returns the value, or the issues. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
  };
}

export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The payload type of a `PayloadType`. */
export type PayloadOf<P> = P extends PayloadClass<infer T> ? T : P extends StandardSchema<infer T> ? T : unknown;

/** ArkType's schemas are functions, so the property of the standard is checked first. */
export function isStandardSchema(type: unknown): type is StandardSchema {
  if ((typeof type !== 'object' && typeof type !== 'function') || type === null) return false;
  return '~standard' in type && typeof type['~standard'] === 'object';
}

export function isPayloadType(type: unknown): type is PayloadType {
  return isStandardSchema(type) || (typeof type === 'function' && type.prototype !== undefined);
}
