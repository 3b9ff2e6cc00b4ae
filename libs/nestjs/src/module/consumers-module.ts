import { Module } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { Consumers } from '../consumers/consumers.js';
import { HandlerDiscovery } from '../discovery/handler-discovery.js';
import { HandlerRegistry } from '../discovery/handler-registry.js';
import { startLastAndStopFirst } from '../discovery/nest-internals.js';
import { MillraceHealth } from '../health/health.js';

/**
 * Runs handlers; one per application, for any number of connections. It starts after the hooks of every other module and shuts down
 * first, so that handlers can use all providers.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [Consumers, HandlerDiscovery, HandlerRegistry, MillraceHealth],
  exports: [Consumers, MillraceHealth],
})
export class ConsumersModule {
  constructor(modules: ModulesContainer) {
    startLastAndStopFirst(modules.values(), ConsumersModule);
  }
}
