import 'reflect-metadata';
import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';

/** The key under which Nest stores the metadata of parameter decorators, including `@Payload()` and `@Ctx()` of @nestjs/microservices. */
export const routeArgsKey = '__routeArguments__';

/** Nest's numbers for parameter kinds (`RpcParamtype`); pipes see a payload as `body` and the rest as `custom`. */
export const paramKinds = { payload: 3, context: 6 } as const;

/** One parameter of a handler, as Nest's parameter decorators store it. */
export interface ParamMetadata {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes: readonly unknown[];
}

type Pipe = Type<PipeTransform> | PipeTransform;

/** The payload, or one property of it; pipes run on it. The same as `@Payload()` of @nestjs/microservices. */
export function Payload(property?: string | Pipe, ...pipes: Pipe[]): ParameterDecorator {
  const isProperty = typeof property === 'string' || property === undefined;
  return (target, method, index) => {
    if (method === undefined) return;
    const args: Record<string, ParamMetadata> = Reflect.getMetadata(routeArgsKey, target.constructor, method) ?? {};
    const own = { index, data: isProperty ? property : undefined, pipes: isProperty ? pipes : [property, ...pipes] };
    const key = `${paramKinds.payload}:${index}`;
    Reflect.defineMetadata(routeArgsKey, { ...args, [key]: own }, target.constructor, method);
  };
}

/** The `RecordContext` or `MessageContext` of the message. */
export const Ctx = createParamDecorator((_: unknown, host: ExecutionContext): unknown => host.getArgByIndex(1));

/** The arguments of a parameter decorator. Written out, since Nest 12's own type has a name that Nest 11 does not know. */
type ParameterArguments = (string | object | undefined)[];

/** One header of the message, or all of them when no name is given. */
export const MessageHeader: (...nameAndPipes: ParameterArguments) => ParameterDecorator = createParamDecorator(
  (name: string | undefined, host: ExecutionContext): unknown => {
    const headers = host.getArgByIndex<{ headers?: Record<string, unknown> }>(1)?.headers ?? {};
    return name === undefined ? headers : headers[name];
  },
);
