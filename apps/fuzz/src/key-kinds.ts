import { settingFields } from '@millrace/queue';
import type { Content } from './payload.js';

/** A kind of key that Millrace reads, and what stands in it. */
export interface KeyKind {
  /** Behind the prefix; `*` stands for what processes choose, and is looked for. */
  readonly key: string;
  readonly type: 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream';
  readonly content: Content;
  /** Fields of a hash that mean something; others are drawn. */
  readonly fields?: readonly string[] | undefined;
  /** Always drawn from nothing, never the present value with a byte changed: that would be another process's claim, and this process would stop. */
  readonly isClaim?: true | undefined;
}

const log = '{log:t:0}';
const group = '{group:g}';

const ofTheLog: readonly KeyKind[] = [
  { key: '{topology}:topics', type: 'hash', content: 'json', fields: ['t', 't.dead-letters'] },
  { key: '{topology}:topic-ids', type: 'string', content: 'number' },
  { key: '{topology}:groups', type: 'set', content: 'text' },
  { key: `${log}:records`, type: 'stream', content: 'batch' },
  {
    key: `${log}:meta`,
    type: 'hash',
    content: 'number',
    fields: [
      'id',
      'version',
      'start',
      'end',
      'bytes',
      'time',
      'nonce',
      'maxRecords',
      'maxBytes',
      'floor',
      'timestamps',
    ],
  },
  { key: `${log}:producers`, type: 'hash', content: 'text' },
  { key: `${log}:expired`, type: 'hash', content: 'number', fields: ['g'] },
  { key: `${log}:upkeep`, type: 'string', content: 'text' },
  { key: `${log}:rebuilt`, type: 'stream', content: 'batch' },
  { key: `${log}:sources`, type: 'set', content: 'text' },
  { key: `${log}:copies:*`, type: 'zset', content: 'text' },
  {
    key: `${log}:group:g`,
    type: 'hash',
    content: 'number',
    fields: ['owner', 'epoch', 'taken', 'until', 'committed', 'rewinds', 'crashes', 'topic', 'progress', 'anchor'],
  },
  { key: `${group}:members`, type: 'zset', content: 'text' },
  { key: `${group}:subscriptions`, type: 'hash', content: 'json', isClaim: true },
  { key: `${group}:presence`, type: 'hash', content: 'json' },
  { key: `${group}:state`, type: 'hash', content: 'number', fields: ['version', 'generation', 'plan', 'empty-since'] },
  { key: `${group}:locked`, type: 'string', content: 'text' },
];

const settings = ['format', 'paused', ...settingFields];
const state = [
  'topology',
  'bytes',
  'stale',
  'trim',
  'ended',
  'used-at',
  'owner-at',
  'registrations',
  'active',
  'ranked',
  'offers',
  'recall',
  'recall-at',
  'tokens',
  'tokens-at',
  'keeper',
  'keeper-due',
  'passed-at',
  'duty-at',
  'taken',
  'acknowledged',
  'delivered',
  'retried',
  'dropped',
  'expired',
  'dead-lettered',
];

const ofAQueue: readonly KeyKind[] = [
  { key: 'settings', type: 'hash', content: 'number', fields: settings },
  { key: 'settings', type: 'hash', content: 'json', fields: ['settings'] },
  { key: 'state', type: 'hash', content: 'number', fields: state },
  { key: 'messages', type: 'hash', content: 'bytes' },
  { key: 'ids', type: 'hash', content: 'text' },
  { key: 'seen', type: 'zset', content: 'text' },
  ...['ready', 'front', 'kept', 'wake'].map((key): KeyKind => ({ key, type: 'list', content: 'text' })),
  ...['delayed', 'expiry', 'consumers', 'idle', 'held', 'parked', 'ended', 'offered', 'completed'].map(
    (key): KeyKind => ({ key, type: 'zset', content: 'text' }),
  ),
  ...['counts', 'cancels'].map((key): KeyKind => ({ key, type: 'hash', content: 'number' })),
  ...['consumer-info', 'handled', 'progress', 'follow-ups'].map(
    (key): KeyKind => ({ key, type: 'hash', content: 'json' }),
  ),
  { key: 'completed-messages', type: 'hash', content: 'bytes' },
  { key: 'dead', type: 'set', content: 'text' },
  { key: 'meta', type: 'hash', content: 'number', fields: ['paused'] },
  { key: 'unacked:*', type: 'set', content: 'text' },
  { key: 'brought:*', type: 'zset', content: 'text' },
  { key: 'result:*', type: 'string', content: 'json' },
  { key: 'published:*', type: 'string', content: 'text' },
];

const ofTheQueues: readonly KeyKind[] = [
  { key: '{topology}:meta', type: 'hash', content: 'number', fields: ['version', 'logged'] },
  { key: '{topology}:exchanges', type: 'hash', content: 'json', fields: ['x', 'y'] },
  { key: '{topology}:queues', type: 'hash', content: 'json', fields: ['q', 's', 'z'] },
  { key: '{topology}:bindings', type: 'hash', content: 'json' },
  { key: '{topology}:changes', type: 'zset', content: 'json' },
  { key: '{topology}:keeper', type: 'string', content: 'text' },
  { key: '{topology}:published:*', type: 'string', content: 'text' },
  { key: '{reply:*}:replies', type: 'stream', content: 'bytes' },
  { key: '{reply:*}:consumed', type: 'hash', content: 'text' },
  ...['{queue:q}', '{queue:s:0}', '{queue:q.dead-letters}'].flatMap((base) =>
    ofAQueue.map((kind) => ({ ...kind, key: `${base}:${kind.key}` })),
  ),
];

/** Every kind of key that is read. A spec holds it against the functions that make keys. */
export const keyKinds: readonly KeyKind[] = [...ofTheLog, ...ofTheQueues];
