import type {
  ArgumentMetadata,
  ArgumentsHost,
  CanActivate,
  ExceptionFilter,
  NestInterceptor,
  PipeTransform,
} from '@nestjs/common';
import {
  ApplicationConfig,
  type ContextId,
  type DiscoveryService,
  ExternalContextCreator,
  type ModuleRef,
} from '@nestjs/core';
import { paramKinds } from '../decorators/payload-decorators.js';

// Only this file uses parts of Nest that are not public. Each is a TypeScript `private` that is the same in Nest 11 and 12; the specs in
// test/nest fail when one of them changes.

/** Nest's wrapper of a provider or controller; not exported by name from @nestjs/core. */
export type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Nest's record of a module. */
export type NestModule = NonNullable<InstanceWrapper['host']>;

/** Returns a filter's result for an error, or undefined when no filter matches or it returned nothing. */
export type RunFilters = (error: unknown, host: ArgumentsHost) => unknown;

/** One parameter of a handler: where its value comes from, and what pipes receive about it. */
export interface HandlerParameter {
  readonly index: number;
  readonly kind: 'payload' | 'context' | 'custom';
  readonly extractValue: (...args: readonly unknown[]) => unknown;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: ArgumentMetadata;
}

/** The instances of everything that Nest would run around a handler. */
export interface Enhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly parameters: readonly HandlerParameter[];
  readonly filters: RunFilters | undefined;
}

/** The handler whose enhancers are created, and the context of the request. */
export interface EnhancedHandler {
  readonly instance: object;
  readonly callback: (...args: unknown[]) => unknown;
  readonly name: string;
  readonly moduleKey: string;
  readonly contextId?: ContextId | undefined;
  readonly inquirerId?: string | undefined;
}

/** A context creator without the enhancers that were registered with `useGlobal…`, `APP_GUARD` and the like. */
export function withoutGlobalEnhancers(creator: ExternalContextCreator): ExternalContextCreator {
  // biome-ignore lint/complexity/useLiteralKeys: private
  const container = creator['container'];
  return ExternalContextCreator.fromContainer(
    Object.create(container, { applicationConfig: { value: new ApplicationConfig() } }),
  );
}

/**
 * The guards, interceptors, pipes and filters of a handler, created by parts of Nest's ExternalContextCreator. Millrace runs them itself:
 * ExternalContextCreator makes a dozen promises per message, logs every error, and lets a catch-all filter swallow RetryLater and the
 * like.
 */
export function enhancersOf(
  creator: ExternalContextCreator,
  handler: EnhancedHandler,
  params: { readonly key: string; readonly factory: ParamsFactory; readonly contextType: string },
): Enhancers {
  const { instance, callback, name, moduleKey, contextId } = handler;
  const inquirerId = handler.inquirerId ?? entryProviderId(creator, moduleKey, instance);
  const place = [instance, callback, moduleKey, contextId, inquirerId] as const;
  // biome-ignore-start lint/complexity/useLiteralKeys: private
  const pipes = creator['pipesContextCreator'].create(...place);
  const metadata = creator['getMetadata'](instance, name, params.key, params.factory, params.contextType);
  const options = metadata.getParamsMetadata(moduleKey, contextId, inquirerId);
  const typed = creator['contextUtils'].mergeParamsMetatypes(options, metadata.paramtypes);
  return {
    guards: creator['guardsContextCreator'].create(...place),
    interceptors: creator['interceptorsContextCreator'].create(...place),
    parameters: typed.map((param: NestParameter) => ({
      index: param.index,
      kind: kindOf(param.type),
      extractValue: param.extractValue,
      pipes: pipes.concat(param.pipes),
      metadata: argumentMetadata(param),
    })),
    filters: filtersOf(creator['filtersContextCreator'].create(...place)),
  };
  // biome-ignore-end lint/complexity/useLiteralKeys: private
}

/** Nest's description of a parameter, with the pipes of this parameter only. */
interface NestParameter {
  readonly index: number;
  readonly type: number | string;
  readonly extractValue: HandlerParameter['extractValue'];
  readonly pipes: readonly PipeTransform[];
}

function kindOf(type: number | string): HandlerParameter['kind'] {
  return type === paramKinds.payload ? 'payload' : type === paramKinds.context ? 'context' : 'custom';
}

type ParamsFactory = NonNullable<Parameters<ExternalContextCreator['create']>[4]>;

/** The argument metadata for pipes: `body` for a payload, `custom` for everything else, as in Nest's own transports. */
function argumentMetadata(param: object): ArgumentMetadata {
  const { type, metatype, data, schema }: Record<string, unknown> = { ...param };
  const told = { type: type === paramKinds.payload ? 'body' : 'custom', metatype, data };
  return (schema === undefined ? told : { ...told, schema }) as ArgumentMetadata;
}

function filtersOf(handler: object): RunFilters | undefined {
  const { filters } = handler as { filters?: readonly ExceptionFilter[] };
  if (filters === undefined || filters.length === 0) return undefined;
  const { invokeCustomFilters } = handler as { invokeCustomFilters: RunFilters };
  return (error, host) => invokeCustomFilters.call(handler, error, host);
}

/** Transient enhancers have one instance per host; those of a host that Nest created at start are stored under its id. */
function entryProviderId(creator: ExternalContextCreator, moduleKey: string, instance: object): string | undefined {
  // biome-ignore lint/complexity/useLiteralKeys: private
  const module = creator['modulesContainer'].get(moduleKey);
  return module?.entryProviders.find((wrapper: InstanceWrapper) => wrapper.instance === instance)?.id;
}

/** The instance of a request-scoped (or transient) provider or controller in one context. */
export function instanceInContext(
  moduleRef: ModuleRef,
  wrapper: InstanceWrapper,
  contextId: ContextId,
): Promise<object> {
  const host = wrapper.host;
  if (host === undefined) throw new Error(`${wrapper.name} belongs to no module`);
  const collection = host.controllers.get(wrapper.token) === wrapper ? host.controllers : host.providers;
  // biome-ignore lint/complexity/useLiteralKeys: private
  return moduleRef['injector'].loadPerContext(wrapper.instance, host, collection, contextId, wrapper);
}

/**
 * Nest runs start hooks from the module farthest from the root to the nearest, and shutdown hooks in reverse order. A module at a smaller
 * distance than the root starts after all others and stops before them.
 */
export function startLastAndStopFirst(modules: Iterable<NestModule>, moduleClass: unknown): void {
  for (const module of modules) if (module.metatype === moduleClass) module.distance = -1;
}

/** The names of the modules that import the module with this provider. */
export function importersOf(modules: Iterable<NestModule>, token: symbol): string {
  const all = [...modules];
  const host = all.find(({ providers }) => providers.has(token));
  const importers = all.filter(({ imports }) => host !== undefined && imports.has(host)).map(({ name }) => name);
  return importers.join(' and ') || 'a module';
}
