import { Module } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { Consumers } from './consumers.js';
import { HandlerDiscovery } from './handler-discovery.js';
import { HandlerRegistry } from './handler-registry.js';
import { MillraceHealth } from './health.js';
import { startLastAndStopFirst } from './nest-internals.js';

/**
 * Holds what runs handlers, once an application however many connections it has. It starts after the hooks of every
 * other module and is the first to be shut down, so that handlers find all providers alive.
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
