import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, ModuleRef } from '@nestjs/core';
import {
  type Configured,
  type HandlerMetadata,
  type HandlerSource,
  handlersOf,
  isOfLog,
} from '../decorators/handler-decorators.js';
import { type ParamMetadata, paramKinds, routeArgsKey } from '../decorators/payload-decorators.js';
import { type HandlerPolicies, policiesOf } from '../decorators/policy-decorators.js';
import { MillraceLogger } from '../module/millrace-logger.js';
import type { HandlerMethod } from '../pipeline/handler-pipeline.js';
import type { InstanceWrapper } from './nest-internals.js';

/** A decorated method. */
interface DecoratedMethod {
  /** `OrderController.onOrder` */
  readonly label: string;
  readonly method: HandlerMethod;
  readonly policies: HandlerPolicies;
  /** The class of the payload's parameter, if the compiler emitted it. */
  readonly payloadClass: unknown;
  /** Whether the compiler emitted the types of its parameters, or it has none. */
  readonly hasTypes: boolean;
}

/** A decorated method with its options, as given to the decorator, or by its factory or token. Not checked yet. */
export type DiscoveredHandler = DecoratedMethod & HandlerSource;

/** Finds decorated methods of all providers and controllers of the application. */
@Injectable()
export class HandlerDiscovery {
  readonly #logger = new MillraceLogger();
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;
  readonly #moduleRef: ModuleRef;
  readonly #looked = new WeakSet<InstanceWrapper>();
  /** Class → the provider whose handlers are used. */
  readonly #used = new Map<object, InstanceWrapper>();
  readonly #prototypes = new Set<object>();

  constructor(discovery: DiscoveryService, scanner: MetadataScanner, moduleRef: ModuleRef) {
    this.#discovery = discovery;
    this.#scanner = scanner;
    this.#moduleRef = moduleRef;
  }

  /** The prototypes of all classes whose handlers were found. */
  get prototypes(): ReadonlySet<object> {
    return this.#prototypes;
  }

  /** Finds the handlers that no earlier call found: all of them at start, later those of modules that were loaded since. */
  async discover(): Promise<DiscoveredHandler[]> {
    const handlers: DiscoveredHandler[] = [];
    for (const wrapper of [...this.#discovery.getControllers(), ...this.#discovery.getProviders()]) {
      if (this.#looked.has(wrapper)) continue;
      this.#looked.add(wrapper);
      const found = await this.#handlersIn(wrapper);
      const type = typeOf(wrapper);
      if (found.length === 0 || type === undefined) continue;
      const other = this.#used.get(type);
      if (other === undefined) handlers.push(...found);
      else this.#warnOfSecond(wrapper, other);
      this.#used.set(type, other ?? wrapper);
      this.#prototypes.add(type.prototype);
    }
    return handlers;
  }

  async #handlersIn(wrapper: InstanceWrapper): Promise<DiscoveredHandler[]> {
    const type = typeOf(wrapper);
    if (type === undefined || wrapper.isAlias) return [];
    const handlers: DiscoveredHandler[] = [];
    for (const name of this.#scanner.getAllMethodNames(type.prototype)) {
      const callback: object = type.prototype[name];
      for (const metadata of handlersOf(callback)) {
        handlers.push({
          ...(await this.#sourceOf(metadata)),
          label: `${type.name}.${name}`,
          method: { wrapper, name },
          policies: policiesOf(type, callback),
          payloadClass: payloadClassOf(type, name),
          hasTypes: hasTypes(type, name, callback),
        });
      }
    }
    return handlers;
  }

  async #sourceOf(metadata: HandlerMetadata): Promise<HandlerSource> {
    return isOfLog(metadata)
      ? { kind: metadata.kind, options: await this.#configured(metadata.options) }
      : { kind: metadata.kind, options: await this.#configured(metadata.options) };
  }

  /** Options that come from the container: a token's value, or what a factory returns. */
  async #configured<O>(options: Configured<O>): Promise<O> {
    if (isGiven(options)) return options;
    if (typeof options === 'symbol') return this.#moduleRef.get<symbol, O>(options, { strict: false });
    const { inject = [], useFactory } = options;
    return useFactory(...inject.map((token) => this.#moduleRef.get<unknown, never>(token, { strict: false })));
  }

  /** It would handle every message twice, once per instance. */
  #warnOfSecond(second: InstanceWrapper, first: InstanceWrapper): void {
    this.#logger.warn(
      `${second.name} is provided by the modules ${first.host?.name} and ${second.host?.name}: ` +
        `the handlers of the first are used. Provide it once and export it.`,
    );
  }
}

/** Whether they are options, rather than where to get them. */
function isGiven<O>(options: Configured<O>): options is O {
  if (typeof options === 'symbol') return false;
  return typeof options !== 'object' || options === null || !('useFactory' in options);
}

/** The class of a provider, or of the object that its factory returned. */
function typeOf(wrapper: InstanceWrapper): (new (...args: never[]) => object) | undefined {
  const type = wrapper.isNotMetatype || wrapper.inject ? wrapper.instance?.constructor : wrapper.metatype;
  return typeof type === 'function' && type.prototype ? type : undefined;
}

function hasTypes(type: { readonly prototype: object }, name: string, callback: object): boolean {
  const takesNothing = typeof callback === 'function' && callback.length === 0;
  return takesNothing || Reflect.hasMetadata('design:paramtypes', type.prototype, name);
}

function payloadClassOf(type: { readonly prototype: object }, name: string): unknown {
  const params: Readonly<Record<string, ParamMetadata>> | undefined = Reflect.getMetadata(routeArgsKey, type, name);
  const types: readonly unknown[] = Reflect.getMetadata('design:paramtypes', type.prototype, name) ?? [];
  if (params === undefined) return types[0];
  const [, payload] = Object.entries(params).find(([key]) => key.startsWith(`${paramKinds.payload}:`)) ?? [];
  // `@Payload('order')` takes a property: the class is the property's, not the payload's.
  return payload === undefined || payload.data !== undefined ? undefined : types[payload.index];
}
