/**
 * Nest's microservice transport over Millrace: `@EventPattern` and `@MessagePattern`.
 *
 * @module @millrace/nestjs/transport
 */
// The entry `@millrace/nestjs/transport`: a separate entry, because it needs @nestjs/microservices.
export { MillraceClient } from './transport/millrace-client.js';
export { MillraceServer, millraceTransport } from './transport/millrace-server.js';
export { type MessageOptions, MillraceRecord } from './transport/record-builder.js';
export { MillraceContext } from './transport/rpc-context.js';
export type {
  Envelope,
  MillraceClientInput,
  MillraceClientOptions,
  MillraceServerInput,
  MillraceServerOptions,
} from './transport/transport-options.js';
export type { TransportEvents, TransportStatus } from './transport/transport-status.js';
