import { describe, expect, it } from '@jest/globals';
import { emptyTopology, type Topology, withEdits } from './topology.js';
import { editsToApply, planTopology, type TopologyDefinition } from './topology-plan.js';
import { isExchangeInUse, planRemoval, planUnbind } from './topology-removal.js';

const declared = (definition: TopologyDefinition): Topology =>
  withEdits(emptyTopology, editsToApply(planTopology(emptyTopology, definition, 'me'), 'refuse'));

describe('a removal', () => {
  const chain: TopologyDefinition = {
    exchanges: [
      { name: 'a', type: 'fanout', autoDelete: true },
      { name: 'b', type: 'fanout', autoDelete: true },
      { name: 'kept', type: 'fanout' },
      { name: 'unused', type: 'fanout', autoDelete: true },
    ],
    queues: [{ name: 'q' }, { name: 'other' }],
    bindings: [
      { exchange: 'a', toExchange: 'b' },
      { exchange: 'b', queue: 'q' },
      { exchange: 'kept', queue: 'q' },
      { exchange: 'kept', queue: 'other' },
    ],
  };
  const topology = declared(chain);
  const ids = (edits: readonly { readonly table: string; readonly id: string }[]) =>
    edits.map(({ table, id }) => `${table} ${id}`);
  const [aToB, bToQ, keptToQ, keptToOther] = [...topology.bindings.keys()];
  const binding = (id: string | undefined) => topology.bindings.get(id ?? '') as never;

  it('of a queue takes its bindings along, and the auto-delete exchanges that have none left', () => {
    const edits = planRemoval(topology, 'queue', 'q');
    expect(ids(edits)).toEqual([
      'queues q',
      'exchanges b',
      'exchanges a',
      `bindings ${bToQ}`,
      `bindings ${keptToQ}`,
      `bindings ${aToB}`,
    ]);
    const after = withEdits(topology, edits);
    expect([...after.exchanges.keys()]).toEqual(['kept', 'unused']);
    expect([...after.bindings.keys()]).toEqual([keptToOther]);
  });

  it('of an exchange takes the bindings from and to it along', () => {
    expect(ids(planRemoval(topology, 'exchange', 'b'))).toEqual([
      'exchanges b',
      'exchanges a',
      `bindings ${aToB}`,
      `bindings ${bToQ}`,
    ]);
    expect(ids(planRemoval(topology, 'exchange', 'kept'))).toEqual([
      'exchanges kept',
      `bindings ${keptToQ}`,
      `bindings ${keptToOther}`,
    ]);
  });

  it('of what is not there is nothing', () => {
    expect(planRemoval(topology, 'queue', 'a')).toEqual([]);
    expect(planRemoval(topology, 'exchange', 'q')).toEqual([]);
    expect(planUnbind(topology, { ...(binding(aToB) as object), routingKey: 'x' } as never)).toEqual([]);
  });

  it('of a binding leaves an exchange that has another one', () => {
    expect(ids(planUnbind(topology, binding(keptToQ)))).toEqual([`bindings ${keptToQ}`]);
    expect(ids(planUnbind(topology, binding(bToQ)))).toEqual([
      'exchanges b',
      'exchanges a',
      `bindings ${bToQ}`,
      `bindings ${aToB}`,
    ]);
    const two = declared({
      ...chain,
      bindings: [
        { exchange: 'a', queue: 'q' },
        { exchange: 'a', queue: 'other' },
      ],
    });
    const [first] = [...two.bindings.values()];
    expect(ids(planUnbind(two, first as never))).toHaveLength(1);
  });

  it('knows whether an exchange is in use, from either side', () => {
    expect(['a', 'b', 'unused', 'q'].map((name) => isExchangeInUse(topology, name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('of the last binding leaves an exchange that does not go with it', () => {
    const one = declared({
      exchanges: [{ name: 'kept', type: 'fanout' }],
      queues: [{ name: 'q' }],
      bindings: [{ exchange: 'kept', queue: 'q' }],
    });
    expect(ids(planRemoval(one, 'queue', 'q'))).toEqual(['queues q', `bindings ${[...one.bindings.keys()][0]}`]);
  });

  it('takes bindings to an exchange for those to no queue of its name', () => {
    const same = declared({
      exchanges: [
        { name: 'x', type: 'fanout' },
        { name: 'q', type: 'fanout' },
      ],
      queues: [{ name: 'q' }],
      bindings: [
        { exchange: 'x', queue: 'q' },
        { exchange: 'x', toExchange: 'q' },
      ],
    });
    const [toQueue, toExchange] = [...same.bindings.keys()];
    expect(ids(planRemoval(same, 'queue', 'q'))).toEqual(['queues q', `bindings ${toQueue}`]);
    expect(ids(planRemoval(same, 'exchange', 'q'))).toEqual(['exchanges q', `bindings ${toExchange}`]);
  });
});
