import type { CodecRegistry } from '@millrace/core';
import type { Events, HandlerLabels } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { RpcResponder } from '../rpc/rpc-responder.js';

/** What messages of one consumer are handled with. */
export interface HandlingContext {
  readonly connection: RedisConnection;
  readonly codecs: CodecRegistry;
  readonly events: Events;
  /** Sends replies to requests. */
  readonly responder: RpcResponder;
  /** What names the consumer in events. */
  readonly labels: HandlerLabels;
  /** Reports a failure in the background. */
  failed(error: unknown): void;
}
