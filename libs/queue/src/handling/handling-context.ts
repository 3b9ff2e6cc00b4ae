import type { CodecRegistry } from '@millrace/core';
import type { Events, HandlerLabels } from '@millrace/delivery';
import type { RedisConnection } from '@millrace/redis';
import type { RpcResponder } from '../rpc/rpc-responder.js';

/** What the messages of one consumer are handled with. */
export interface HandlingContext {
  readonly connection: RedisConnection;
  readonly codecs: CodecRegistry;
  readonly events: Events;
  /** Sends replies to requests. */
  readonly responder: RpcResponder;
  /** Identifies the consumer in events. */
  readonly labels: HandlerLabels;
  /** Reports an error in the background. */
  failed(error: unknown): void;
}
