import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Subscription, subscribeTo } from '../model/subscription.js';
import type { ConsumerOptions } from './consumer-options.js';

/** How a consumer takes part in its group. */
export interface MembershipConfig {
  readonly group: string;
  readonly memberId: string;
  /** The group waits for a static member: the end of its connection means nothing, and it does not leave when it stops. */
  readonly isStatic: boolean;
  readonly subscription: Subscription;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly topicRefreshMs: number;
}

const staticSessionMs = 45_000;

/** A member without a configured id gets a unique one. */
export function membershipConfig(options: ConsumerOptions): MembershipConfig {
  const { group, topics, leaseMs, heartbeatMs, topicRefreshMs } = options;
  const isStatic = options.memberId !== undefined;
  const {
    memberId = `${hostname().replace(/[^\w.-]/g, '-')}-${process.pid}-${randomUUID().slice(0, 8)}`,
    sessionTimeoutMs: sessionMs = isStatic ? Math.max(leaseMs, staticSessionMs) : leaseMs,
  } = options;
  return { group, memberId, isStatic, subscription: subscribeTo(topics), sessionMs, heartbeatMs, topicRefreshMs };
}
