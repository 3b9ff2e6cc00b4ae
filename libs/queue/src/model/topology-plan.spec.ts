import { describe, expect, it } from '@jest/globals';
import { OptionsError, TopologyConflictError, TopologyNotFoundError } from '@millrace/core';
import type { BindingDeclaration } from './binding.js';
import { emptyTopology, type Topology, withEdits } from './topology.js';
import { editsToApply, planTopology, type TopologyDefinition } from './topology-plan.js';

const plan = (topology: Topology, definition: TopologyDefinition) => planTopology(topology, definition, 'me');
const declared = (definition: TopologyDefinition): Topology =>
  withEdits(emptyTopology, editsToApply(plan(emptyTopology, definition), 'refuse'));
const named = (topology: Topology, definition: TopologyDefinition): string[] =>
  plan(topology, definition).map(({ action, kind, name }) => `${action} ${kind} ${name}`);

const shop: TopologyDefinition = {
  exchanges: [
    { name: 'orders', type: 'topic' },
    { name: 'audit', type: 'fanout' },
  ],
  queues: [{ name: 'mail' }],
  bindings: [
    { exchange: 'orders', queue: 'mail', routingKey: 'order.*' },
    { exchange: 'orders', toExchange: 'audit' },
    { exchange: 'orders', topic: 'log' },
  ],
};

describe('a plan', () => {
  it('creates what is not there, in an order in which each is there before it is named', () => {
    expect(named(emptyTopology, shop)).toEqual([
      'create exchange orders',
      'create exchange audit',
      'create queue mail',
      'create binding orders → queue mail ("order.*")',
      'create binding orders → exchange audit ("")',
      'create binding orders → topic log ("")',
    ]);
    for (const { differences } of plan(emptyTopology, shop)) expect(differences).toEqual([]);
  });

  it('has no step for what is there, nor for what is declared twice alike', () => {
    expect(named(declared(shop), shop)).toEqual([]);
    expect(named(emptyTopology, {})).toEqual([]);
    const twice = { queues: [{ name: 'a' }, { name: 'a' }], exchanges: shop.exchanges ?? [] };
    expect(named(declared(twice), twice)).toEqual([]);
    const bindings = [...(shop.bindings ?? []), ...(shop.bindings ?? [])];
    expect(named(emptyTopology, { ...shop, bindings })).toHaveLength(6);
  });

  it('changes what can be changed in use, and calls the rest a conflict', () => {
    const before = declared(shop);
    const exchange = (change: object) => named(before, { exchanges: [{ name: 'orders', type: 'topic', ...change }] });
    expect(exchange({ alternateExchange: 'rest' })).toEqual(['change exchange orders']);
    expect(exchange({ internal: true })).toEqual(['change exchange orders']);
    expect(exchange({ autoDelete: true })).toEqual(['conflict exchange orders']);
    expect(exchange({ internal: true, type: 'fanout' })).toEqual(['conflict exchange orders']);
    const queue = (change: object) => plan(before, { queues: [{ name: 'mail', ...change }] });
    expect(queue({ maxLength: 5 })).toMatchObject([
      {
        action: 'change',
        kind: 'queue',
        name: 'mail',
        differences: [{ setting: 'maxLength', declared: undefined, requested: 5 }],
        edit: { table: 'queues', id: 'mail', value: { name: 'mail', maxLength: 5 } },
      },
    ]);
    expect(queue({ maxLength: 5, priorities: 2 })).toMatchObject([{ action: 'conflict' }]);
  });

  it('writes into an exclusive queue whose it is', () => {
    const [step] = plan(emptyTopology, { queues: [{ name: 'q', exclusive: true }] });
    expect(step?.edit.value).toMatchObject({ exclusive: true, owner: 'me' });
    const [open] = plan(emptyTopology, { queues: [{ name: 'q' }] });
    expect(open?.edit.value).not.toHaveProperty('owner');
  });

  it('refuses what one definition declares in two ways', () => {
    const twice = {
      exchanges: [
        { name: 'a', type: 'topic' },
        { name: 'a', type: 'fanout' },
      ],
      queues: [{ name: 'a' }, { name: 'a', maxLength: 1, maxBytes: 2 }],
    } as const;
    expect(() => plan(emptyTopology, twice)).toThrow(
      new OptionsError('topology', [
        'exchange "a" is declared twice, with another type each time: declare it once',
        'queue "a" is declared twice, with another maxLength, maxBytes each time: declare it once',
      ]),
    );
  });

  it.each<[what: string, binding: BindingDeclaration, error: Error]>([
    ['source', { exchange: 'none', queue: 'mail' }, new TopologyNotFoundError('exchange', 'none')],
    ['queue', { exchange: 'orders', queue: 'none' }, new TopologyNotFoundError('queue', 'none')],
    ['exchange', { exchange: 'orders', toExchange: 'mail' }, new TopologyNotFoundError('exchange', 'mail')],
    [
      'pattern',
      { exchange: 'orders', queue: 'mail', routingKey: '#.#.#' },
      new OptionsError('binding orders → queue mail ("#.#.#")', ['pattern "#.#.#" has more than 2 "#" words']),
    ],
  ])('refuses a binding for its %s', (_, binding, error) => {
    expect(() => plan(declared(shop), { bindings: [binding] })).toThrow(error);
  });

  it('gives a destination one weight in a consistent-hash exchange', () => {
    const hash: TopologyDefinition = {
      exchanges: [
        { name: 'h', type: 'consistent-hash' },
        { name: 'i', type: 'consistent-hash' },
        { name: 't', type: 'topic' },
      ],
      queues: [{ name: 'a' }, { name: 'b' }],
      bindings: [
        { exchange: 'h', queue: 'a', routingKey: '1' },
        { exchange: 'h', queue: 'b', routingKey: '2' },
        { exchange: 'h', topic: 'a', routingKey: '3' },
        { exchange: 'i', queue: 'a', routingKey: '4' },
        { exchange: 't', queue: 'a', routingKey: '5' },
        { exchange: 't', queue: 'a', routingKey: '6' },
      ],
    };
    const before = declared(hash);
    expect(before.bindings.size).toBe(6);
    expect(plan(before, { bindings: [{ exchange: 'h', queue: 'a', routingKey: '9' }] })).toMatchObject([
      {
        action: 'conflict',
        kind: 'binding',
        name: 'h → queue a ("9")',
        differences: [{ setting: 'weight', declared: '1', requested: '9' }],
      },
    ]);
  });

  it('is applied unless it has a conflict, or a change where none is wanted', () => {
    const change = plan(declared(shop), { queues: [{ name: 'mail', maxLength: 5 }] });
    const conflict = plan(declared(shop), { queues: [{ name: 'mail', priorities: 5 }] });
    expect(editsToApply(change, 'apply')).toEqual(change.map(({ edit }) => edit));
    expect(() => editsToApply(change, 'refuse')).toThrow(TopologyConflictError);
    expect(() => editsToApply(conflict, 'apply')).toThrow(
      new TopologyConflictError('queue', 'mail', [{ setting: 'priorities', declared: 1, requested: 5 }]),
    );
  });
});
