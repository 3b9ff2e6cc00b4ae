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

// Everything that Nest has but does not offer officially is used in this file and nowhere else. Each is a TypeScript
// `private` that has been the same in Nest 11 and 12; the specs in test/nest fail when one of them changes.

/** How Nest keeps a provider or controller; not exported by name from @nestjs/core. */
export type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Nest's record of a module. */
export type NestModule = NonNullable<InstanceWrapper['host']>;

/** Returns what a filter made of an error, or undefined when none is for it or it returned nothing. */
export type RunFilters = (error: unknown, host: ArgumentsHost) => unknown;

/** One parameter of a handler: where its value comes from, and what pipes get to know of it. */
export interface HandlerParameter {
  readonly index: number;
  readonly kind: 'payload' | 'context' | 'custom';
  readonly extractValue: (...args: readonly unknown[]) => unknown;
  readonly pipes: readonly PipeTransform[];
  readonly metadata: ArgumentMetadata;
}

/** Everything that Nest would run around a handler, as instances. */
export interface Enhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly parameters: readonly HandlerParameter[];
  readonly filters: RunFilters | undefined;
}

/** Whose enhancers, and in which request's context. */
export interface EnhancedHandler {
  readonly instance: object;
  readonly callback: (...args: unknown[]) => unknown;
  readonly name: string;
  readonly moduleKey: string;
  readonly contextId?: ContextId | undefined;
  readonly inquirerId?: string | undefined;
}

/** A context creator that leaves out what was registered with `useGlobal…` or `APP_GUARD` and its like. */
export function withoutGlobalEnhancers(creator: ExternalContextCreator): ExternalContextCreator {
  // biome-ignore lint/complexity/useLiteralKeys: private
  const container = creator['container'];
  return ExternalContextCreator.fromContainer(
    Object.create(container, { applicationConfig: { value: new ApplicationConfig() } }),
  );
}

/**
 * The guards, interceptors, pipes and filters of a handler, made by the parts of Nest's ExternalContextCreator. They are
 * run by us: its own way through them makes a dozen promises a message, logs every error, and lets a catch-all filter
 * swallow the words of control flow.
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

/** What Nest knows of a parameter; pipes in it are those of the parameter alone. */
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

/** What pipes get to know: of a payload `body`, of everything else `custom`, as in Nest's own transports. */
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

/** Transient enhancers are made for each host; those of a host that Nest made at start are found under its id. */
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
 * Nest runs start hooks from the module that is farthest from the root to the nearest, and shutdown hooks the other way
 * round. A module nearer than the root itself starts when all others have started, and stops before any other stops.
 */
export function startLastAndStopFirst(modules: Iterable<NestModule>, moduleClass: unknown): void {
  for (const module of modules) if (module.metatype === moduleClass) module.distance = -1;
}

/** The names of the modules that import the one with this provider. */
export function importersOf(modules: Iterable<NestModule>, token: symbol): string {
  const all = [...modules];
  const host = all.find(({ providers }) => providers.has(token));
  const importers = all.filter(({ imports }) => host !== undefined && imports.has(host)).map(({ name }) => name);
  return importers.join(' and ') || 'a module';
}
