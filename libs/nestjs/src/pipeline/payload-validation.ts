import { accepted, isInstance, maxProblems, ValidationError } from '@millrace/core';
import {
  isStandardSchema,
  type PayloadClass,
  type PayloadType,
  type StandardIssue,
  type StandardSchema,
} from '../decorators/payload-type.js';

/** Checks a payload and resolves to the typed value (an instance of the class, or the schema's output). @throws {ValidationError} */
export type ValidatePayload = (payload: unknown, subject: string) => Promise<unknown>;

/** The options of class-validator that apply to all payloads of a connection. */
export interface ClassValidation {
  /** Remove properties that have no decorator. Default false: a newer producer may send unknown properties. */
  readonly whitelist?: boolean;
  /** With `whitelist`: refuse such a payload instead. Default false. */
  readonly forbidNonWhitelisted?: boolean;
  /** Convert strings into the numbers and dates that the class declares. Default false: types are compared strictly. */
  readonly enableImplicitConversion?: boolean;
}

/** The part of class-validator and class-transformer that is used: both are optional peer dependencies. */
interface ValidationLibraries {
  readonly validate: (object: object, options: object) => Promise<readonly ClassProblem[]>;
  readonly toInstance: (type: PayloadClass, plain: unknown, options: object) => unknown;
}

interface ClassProblem {
  readonly property: string;
  readonly constraints?: Readonly<Record<string, string>> | undefined;
  readonly children?: readonly ClassProblem[] | undefined;
}

/**
 * Creates the check for `type`. A library that a class needs is loaded now, so that the start fails if it is missing.
 *
 * @throws {Error} class-validator or class-transformer is not installed
 */
export async function payloadValidation(type: PayloadType, options: ClassValidation = {}): Promise<ValidatePayload> {
  if (isStandardSchema(type)) return shallowEnough((payload, subject) => checkSchema(type, payload, subject));
  const libraries = await loadLibraries(type);
  const transform = { enableImplicitConversion: options.enableImplicitConversion ?? false };
  const rules = {
    whitelist: options.whitelist ?? false,
    forbidNonWhitelisted: options.forbidNonWhitelisted ?? false,
    forbidUnknownValues: false,
  };
  return shallowEnough(async (payload, subject) => {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      throw new ValidationError(subject, [`it must be an object (${type.name}), got ${describeValue(payload)}`]);
    }
    const instance = payload instanceof type ? payload : libraries.toInstance(type, payload, transform);
    const problems = await libraries.validate(Object(instance), rules);
    if (problems.length > 0) throw new ValidationError(subject, firstProblems(problems));
    return instance;
  });
}

/** Libraries validate recursively: a payload that is too deep for them is invalid, and would be with every attempt. */
function shallowEnough(validate: ValidatePayload): ValidatePayload {
  return async (payload, subject) => {
    try {
      return await validate(payload, subject);
    } catch (error) {
      if (!isInstance(error, RangeError) || !/call stack/.test(error.message)) throw error;
      throw new ValidationError(subject, ['it is nested too deeply to be checked']);
    }
  };
}

/** Whether class-validator has rules for `type`: a parameter of such a class is validated by default. */
export async function hasValidationRules(type: unknown): Promise<boolean> {
  if (typeof type !== 'function') return false;
  const validator = await import('class-validator').catch(() => undefined);
  if (validator === undefined) return false;
  return validator.getMetadataStorage().getTargetValidationMetadatas(type, '', false, false).length > 0;
}

type Result = Awaited<ReturnType<StandardSchema['~standard']['validate']>>;

const standardResult = {
  name: "the schema's validate",
  expects: '{ value } or { issues }',
  accepts: (answer: unknown): answer is Result => typeof answer === 'object' && answer !== null,
};

async function checkSchema(
  type: Extract<PayloadType, { '~standard': unknown }>,
  payload: unknown,
  subject: string,
): Promise<unknown> {
  const result = accepted(standardResult, await type['~standard'].validate(payload));
  if (result.issues !== undefined)
    throw new ValidationError(subject, result.issues.slice(0, maxProblems + 1).map(describeIssue));
  return result.value;
}

async function loadLibraries(type: PayloadClass): Promise<ValidationLibraries> {
  try {
    const [validator, transformer] = await Promise.all([import('class-validator'), import('class-transformer')]);
    return {
      validate: (object, options) => validator.validate(object, options),
      toInstance: (target, plain, options) => transformer.plainToInstance(target as new () => object, plain, options),
    };
  } catch (cause) {
    throw new Error(
      `Payloads of type ${type.name} are checked with class-validator and class-transformer, which are not installed. ` +
        'Run "npm i class-validator class-transformer", or give a Standard Schema as the type.',
      { cause },
    );
  }
}

/** The problems that an error names, and one more. */
function firstProblems(problems: readonly ClassProblem[]): string[] {
  const found: string[] = [];
  for (const problem of flattened(problems, '')) {
    found.push(problem);
    if (found.length > maxProblems) break;
  }
  return found;
}

/** Every violated rule, also of nested objects, each with its path: `items.0.quantity must be …`. */
function* flattened(problems: readonly ClassProblem[], path: string): Iterable<string> {
  for (const problem of problems) {
    for (const text of Object.values(problem.constraints ?? {})) yield path === '' ? text : `${path}.${text}`;
    yield* flattened(problem.children ?? [], path === '' ? problem.property : `${path}.${problem.property}`);
  }
}

function describeIssue(issue: StandardIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function describeValue(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
}
