import { errorOf } from '@millrace/core';
import {
  type DynamicModule,
  type InjectionToken,
  Module,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Consumers } from '../consumers/consumers.js';
import {
  defaultConnection,
  getMillraceOptionsToken,
  getMillraceToken,
  getProducerToken,
} from '../decorators/tokens.js';
import { importersOf } from '../discovery/nest-internals.js';
import type { Topology } from '../topology/topology.js';
import { ConsumersModule } from './consumers-module.js';
import { featureConnection } from './feature-connection.js';
import { Millrace } from './millrace.js';
import {
  assertAsyncOptions,
  type MillraceModuleInput,
  resolveFeatureOptions,
  resolveModuleOptions,
  withConnectionName,
} from './module-options.js';
import { publisherProviders } from './publisher-providers.js';

/** Creates a connection's options; `useClass` and `useExisting` name such a provider. */
export interface MillraceOptionsFactory {
  /** Called once, when the application starts. */
  createMillraceOptions(): MillraceModuleInput | Promise<MillraceModuleInput>;
}

/** Options that need providers. Exactly one of `useFactory`, `useClass` and `useExisting` is given. */
export interface MillraceAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** The connection's name. Default: the one without a name. */
  readonly name?: string;
  /** The arguments of `useFactory`, in order. */
  readonly inject?: InjectionToken[];
  /** Returns the options. */
  readonly useFactory?: (...dependencies: never[]) => MillraceModuleInput | Promise<MillraceModuleInput>;
  /** A class that Nest instantiates to create the options. */
  readonly useClass?: Type<MillraceOptionsFactory>;
  /** A provider of `imports` that creates the options. */
  readonly useExisting?: InjectionToken<MillraceOptionsFactory>;
  /** Providers that only the factory needs. */
  readonly extraProviders?: Provider[];
}

/** The objects that a module declares and publishes to. */
export interface MillraceFeature extends Partial<Topology> {
  /** The connection's name. Default: the one without a name. */
  readonly connection?: string;
}

/** Millrace in a Nest application. Import `forRoot` once per connection, and `forFeature` in every module that publishes. */
@Module({})
export class MillraceModule {
  /**
   * A connection for the whole application; with a `name`, one of several.
   *
   * @throws {OptionsError} with every problem
   */
  static forRoot(given: MillraceModuleInput & { readonly name?: string }): DynamicModule {
    const { name, ...input } = withConnectionName(given);
    const options = resolveModuleOptions(input, name);
    return connectionModule(name, [{ provide: getMillraceOptionsToken(name), useValue: options }], {}, options);
  }

  /**
   * As `forRoot`, with options from providers. To publish to objects that they declare, use `forFeature`.
   *
   * @throws {OptionsError} with all problems
   */
  static forRootAsync(given: MillraceAsyncOptions): DynamicModule {
    const { name, imports = [], ...async } = withConnectionName(given);
    assertAsyncOptions({ imports, ...async }, name);
    const resolve = (input: MillraceModuleInput) => resolveModuleOptions(input, name);
    return connectionModule(name, [...asyncProviders(name, async, resolve), ...(async.extraProviders ?? [])], {
      imports,
    });
  }

  /**
   * Declares topics, exchanges, queues and bindings, and provides their publishers.
   *
   * @throws {OptionsError} with all problems; at start, that there is no `forRoot` for its connection
   */
  static forFeature(feature: MillraceFeature): DynamicModule {
    const { connection, ...topology } = resolveFeatureOptions(feature);
    const found = featureConnection(connection);
    const providers = publisherProviders(connection, topology, found.provide);
    const provide = Symbol(`millrace:${connection}:topology`);
    const requirement: Provider = {
      provide,
      inject: [found.provide, ModulesContainer],
      useFactory: async (millrace: Millrace, modules: ModulesContainer) => {
        // A lazily loaded module comes after everything else was declared.
        const place = (): string => `forFeature of ${importersOf(modules.values(), provide)}`;
        if (millrace.state === 'ready') await millrace.declare(topology, place);
        else millrace.require(topology, place);
        return topology;
      },
    };
    return { module: MillraceModule, providers: [found, ...providers, requirement], exports: tokensOf(providers) };
  }
}

function connectionModule(
  name: string,
  optionProviders: readonly Provider[],
  metadata: Pick<ModuleMetadata, 'imports'>,
  topology: Partial<Topology> = {},
): DynamicModule {
  const millrace: Provider = {
    provide: getMillraceToken(name),
    inject: [getMillraceOptionsToken(name)],
    useFactory: async (options: ReturnType<typeof resolveModuleOptions>) => {
      const made = new Millrace(name, options);
      await made.connect();
      return made;
    },
  };
  const producer: Provider = {
    provide: getProducerToken(undefined, name),
    inject: [getMillraceToken(name)],
    useFactory: ({ producer: own }: Millrace) => own,
  };
  const byClass: Provider[] = name === defaultConnection ? [{ provide: Millrace, useExisting: millrace.provide }] : [];
  const providers = [millrace, ...byClass, producer, ...publisherProviders(name, topology)];
  // A provider apart from the connection, so that tests can override it.
  const handlers: Provider = {
    provide: Symbol(`millrace:${name}:handlers`),
    inject: [getMillraceToken(name), Consumers],
    useFactory: (made: Millrace, consumers: Consumers) => {
      made.declareHandlersWith(() => consumers.declare(made));
      return made.name;
    },
  };
  return {
    module: MillraceModule,
    global: true,
    imports: [ConsumersModule, ...(metadata.imports ?? [])],
    providers: [...optionProviders, ...providers, handlers],
    exports: [ConsumersModule, ...tokensOf(providers)],
  };
}

function asyncProviders(
  name: string,
  { inject = [], useFactory, useClass, useExisting }: MillraceAsyncOptions,
  resolve: (input: MillraceModuleInput) => unknown,
): Provider[] {
  const provide = getMillraceOptionsToken(name);
  /** Nest fails on some thrown values (a revoked proxy, a thenable), so the reason is always turned into an error. */
  const settled =
    <A extends unknown[]>(make: (...args: A) => MillraceModuleInput | Promise<MillraceModuleInput>) =>
    async (...args: A): Promise<unknown> => {
      try {
        return resolve(await make(...args));
      } catch (thrown) {
        throw errorOf(thrown);
      }
    };
  if (useFactory !== undefined) {
    const factory = (...dependencies: never[]) => useFactory(...dependencies);
    return [{ provide, inject, useFactory: settled(factory) }];
  }
  const factoryToken = useExisting ?? useClass;
  if (factoryToken === undefined) return [];
  const fromFactory: Provider = {
    provide,
    inject: [factoryToken],
    useFactory: settled((factory: MillraceOptionsFactory) => factory.createMillraceOptions()),
  };
  return useClass === undefined ? [fromFactory] : [useClass, fromFactory];
}

function tokensOf(providers: readonly Provider[]): InjectionToken[] {
  return providers.map((provider) => (typeof provider === 'function' ? provider : provider.provide));
}
