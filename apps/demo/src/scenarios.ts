import type { Scenario } from './scenario.js';

/** In the order in which they are best watched. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'consumer-crash',
    promise: 'a member of a group is killed -9; another resumes after its committed offset',
    load: () => import('./scenarios/consumer-crash.js'),
  },
  {
    name: 'poison-message',
    promise: 'three retries, then dead letters, while the rest flows; mended, it is sent back',
    load: () => import('./scenarios/poison-message.js'),
  },
  {
    name: 'pace-matching',
    promise: '60 a second come in, 15 a second go out: the queue holds the rest, nothing is lost',
    load: () => import('./scenarios/pace-matching.js'),
  },
  {
    name: 'fanout',
    promise: 'a fanout exchange gives every queue a copy, whatever the key',
    load: () => import('./scenarios/fanout.js'),
  },
  {
    name: 'direct',
    promise: 'a direct exchange gives a message to the queues bound with its very key',
    load: () => import('./scenarios/direct.js'),
  },
  {
    name: 'topic',
    promise: 'a topic exchange matches keys word by word: * is one word, # any number',
    load: () => import('./scenarios/topic.js'),
  },
  {
    name: 'replay',
    promise: 'a group reads the log again, from its start or from a time; others do not notice',
    load: () => import('./scenarios/replay.js'),
  },
  {
    name: 'redis-failover',
    promise: 'the primary Redis dies under load; a replica takes over and no confirmed order is lost',
    load: () => import('./scenarios/redis-failover.js'),
  },
  {
    name: 'full',
    promise: 'full queues and a full Redis say so, lose nothing they confirmed, and can be drained',
    load: () => import('./scenarios/full.js'),
  },
];
