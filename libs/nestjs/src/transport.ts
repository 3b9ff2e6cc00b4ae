/**
 * Nest's microservice transport over Millrace: `@EventPattern` and `@MessagePattern`.
 *
 * @module @millrace/nestjs/transport
 */
// The entry `@millrace/nestjs/transport`: apart from the rest, because it needs @nestjs/microservices.
export { MillraceClient } from './millrace-client.js';
export { MillraceServer, millraceTransport } from './millrace-server.js';
export { type MessageOptions, MillraceRecord } from './record-builder.js';
export { MillraceContext } from './rpc-context.js';
export type {
  Envelope,
  MillraceClientInput,
  MillraceClientOptions,
  MillraceServerInput,
  MillraceServerOptions,
} from './transport-options.js';
export type { TransportEvents, TransportStatus } from './transport-status.js';
