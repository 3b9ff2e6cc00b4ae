import { type RedisFailure, redisFailure } from '@millrace/redis';
import type { SlowestGroup } from '../store/append.js';
import type { ChannelReply } from './append-channel.js';
import { blocked, forgotten, notConnected, overLimit, unconfirmed } from './append-failure.js';

/** Why a batch has to be sent again. */
export type RetryReason = 'gap' | 'gone' | 'over-limit' | 'blocked' | 'failure';

/** The result of one attempt to append a batch. */
export type AppendResult =
  | {
      readonly kind: 'confirmed';
      readonly baseOffset: number;
      readonly topicVersion: number;
      readonly timestamp: number | undefined;
    }
  | { readonly kind: 'retry'; readonly reason: RetryReason; readonly failure?: RedisFailure }
  | { readonly kind: 'refused'; readonly failure: RedisFailure; readonly cause?: unknown };

/** There is no connection to send it on. */
export const unsent: AppendResult = { kind: 'retry', reason: 'failure', failure: notConnected };

/** @param slowest the group that has read least, if Redis was asked for it: without it a reached limit is not final */
export function resultOfReply(reply: ChannelReply, slowest: SlowestGroup | undefined): AppendResult {
  switch (reply.kind) {
    case 'appended': {
      const { baseOffset, topicVersion, timestamp } = reply;
      return { kind: 'confirmed', baseOffset, topicVersion, timestamp };
    }
    case 'unconfirmed':
      return { kind: 'refused', failure: unconfirmed(reply.confirmations) };
    case 'stale':
      return { kind: 'refused', failure: forgotten };
    case 'gap':
    case 'gone':
      return { kind: 'retry', reason: reply.kind };
    case 'blocked':
      return { kind: 'retry', reason: reply.kind, failure: blocked };
    case 'over-limit':
      if (slowest === undefined) return { kind: 'retry', reason: reply.kind };
      return { kind: 'refused', failure: overLimit(slowest) };
    default:
      return reply satisfies never;
  }
}

export function resultOfError(error: unknown): AppendResult {
  const failure = redisFailure(error);
  if (failure.isTemporary) return { kind: 'retry', reason: 'failure', failure };
  return { kind: 'refused', failure, cause: error };
}
