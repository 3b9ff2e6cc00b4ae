import type { ExceptionFilter } from '@nestjs/common';
import {
  ApplicationConfig,
  type ContextId,
  type DiscoveryService,
  ExternalContextCreator,
  type ModuleRef,
} from '@nestjs/core';

// Everything that Nest has but does not offer officially is used in this file and nowhere else. Each is a TypeScript
// `private` that has been the same in Nest 11 and 12; the specs in test/nest fail when one of them changes.

/** How Nest keeps a provider or controller; not exported by name from @nestjs/core. */
export type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Nest's record of a module. */
export type NestModule = NonNullable<InstanceWrapper['host']>;

/** Answers what a filter made of an error, or undefined when none is for it or it answered nothing. */
export type RunFilters = (error: unknown, host: unknown) => unknown;

/** A context creator that leaves out what was registered with `useGlobal…` or `APP_GUARD` and its like. */
export function withoutGlobalEnhancers(creator: ExternalContextCreator): ExternalContextCreator {
  // biome-ignore lint/complexity/useLiteralKeys: private
  const container = creator['container'];
  return ExternalContextCreator.fromContainer(
    Object.create(container, { applicationConfig: { value: new ApplicationConfig() } }),
  );
}

/**
 * The exception filters of a handler. They are run by us and not by Nest's proxy, which logs every error it sees and
 * would let a catch-all filter swallow the words of control flow.
 */
export function filtersOf(
  creator: ExternalContextCreator,
  host: { instance: object; callback: (...args: unknown[]) => unknown; moduleKey: string },
  contextId?: ContextId,
  inquirerId?: string,
): RunFilters | undefined {
  // biome-ignore lint/complexity/useLiteralKeys: private
  const filters = creator['filtersContextCreator'];
  const handler: { filters?: readonly ExceptionFilter[]; invokeCustomFilters(error: unknown, host: unknown): unknown } =
    filters.create(host.instance, host.callback, host.moduleKey, contextId, inquirerId);
  if (handler.filters?.length === 0) return undefined;
  return (error, argumentsHost) => handler.invokeCustomFilters(error, argumentsHost);
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
