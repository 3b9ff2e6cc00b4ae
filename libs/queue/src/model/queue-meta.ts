import { perSecondOf, rateOf } from '@millrace/core';
import { keepCompletedField } from './keep-completed.js';
import type { QueueSettings } from './queue-settings.js';
import { shareOf } from './shards.js';

/** The fields of a queue's `settings` hash that its declaration writes; see docs/keyspace.md. */
export const settingFields = [
  'name',
  'settings',
  'revision',
  'max-length',
  'max-bytes',
  'overflow',
  'message-ttl',
  'idle-expiry',
  'priorities',
  'dead-letter',
  'delivery-limit',
  'dedup-window',
  'keep-completed',
  'max-per-second',
  'single-active',
  'auto-delete',
  'exclusive',
] as const;

/**
 * A queue's settings as its scripts read them: only what differs from the default is stored. `settings` holds the whole as JSON for
 * all other readers. `revision` is the topology version that wrote them: an older one never replaces a newer one.
 */
export function queueMetaFields(settings: QueueSettings, revision: number): string[] {
  const fields: [name: (typeof settingFields)[number], value: string | number | undefined][] = [
    ['name', settings.name],
    ['settings', JSON.stringify(settings)],
    ['revision', revision],
    ['max-length', shareOf(settings.maxLength, settings)],
    ['max-bytes', shareOf(settings.maxBytes, settings)],
    ['overflow', settings.overflow],
    ['message-ttl', settings.messageTtlMs],
    ['idle-expiry', settings.idleExpiryMs],
    ['priorities', settings.priorities],
    ['dead-letter', settings.deadLetter === undefined ? undefined : 1],
    ['delivery-limit', settings.deliveryLimit],
    ['dedup-window', settings.deduplicationWindowMs || undefined],
    ['keep-completed', keepCompletedField(settings.keepCompleted, settings)],
    ['max-per-second', perSecond(settings)],
    ['single-active', settings.singleActiveConsumer ? 1 : undefined],
    ['auto-delete', settings.autoDelete ? 1 : undefined],
    ['exclusive', settings.exclusive ? 1 : undefined],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
}

/** A shard's share of the rate, which may be a fraction. */
function perSecond(settings: QueueSettings): number | undefined {
  const { limit, intervalMs = 1000 } = rateOf(settings) ?? {};
  const share = shareOf(limit, settings);
  return share === undefined ? undefined : perSecondOf({ limit: share, intervalMs });
}
