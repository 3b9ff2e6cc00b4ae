import { type Binding, bindingId } from './binding.js';
import { isEndOf, leftovers, type Topology, type TopologyEdit } from './topology.js';

/** Removes a binding, and with its last one an auto-delete exchange. Empty when there is no such binding. */
export function planUnbind(topology: Topology, binding: Binding): TopologyEdit[] {
  const id = bindingId(binding);
  if (!topology.bindings.has(id)) return [];
  return withOrphans(topology, [{ table: 'bindings', id }]);
}

/**
 * Removes a queue or exchange with every binding from or to it, and the auto-delete exchanges that are left without one. The bindings
 * come last: an interrupted removal leaves only bindings without an end, which have no effect; a repetition removes these too.
 */
export function planRemoval(topology: Topology, kind: 'exchange' | 'queue', name: string): TopologyEdit[] {
  const table = kind === 'queue' ? 'queues' : 'exchanges';
  if (!topology[table].has(name)) return leftovers(topology, kind, name);
  return withOrphans(topology, [{ table, id: name }, ...bindingsOf(topology, kind, name)]);
}

/** Whether an exchange is the source or destination of any binding. */
export function isExchangeInUse(topology: Topology, name: string): boolean {
  return bindingsOf(topology, 'exchange', name).length > 0;
}

/** An auto-delete exchange whose last binding is among the removals is removed too, which may orphan the next. */
function withOrphans(topology: Topology, removals: readonly TopologyEdit[]): TopologyEdit[] {
  const { exchanges, bindings } = topology;
  const edits = [...removals];
  const removed = new Set(edits.map(({ table, id }) => `${table} ${id}`));
  const left = new Map<string, number>();
  for (const { source } of bindings.values()) left.set(source, (left.get(source) ?? 0) + 1);
  for (const edit of edits) {
    const source = edit.table === 'bindings' ? bindings.get(edit.id)?.source : undefined;
    if (source === undefined) continue;
    const others = (left.get(source) ?? 0) - 1;
    left.set(source, others);
    if (others > 0 || exchanges.get(source)?.autoDelete !== true || removed.has(`exchanges ${source}`)) continue;
    for (const orphan of [{ table: 'exchanges' as const, id: source }, ...bindingsOf(topology, 'exchange', source)]) {
      if (removed.has(`${orphan.table} ${orphan.id}`)) continue;
      removed.add(`${orphan.table} ${orphan.id}`);
      edits.push(orphan);
    }
  }
  return [...edits.filter(({ table }) => table !== 'bindings'), ...edits.filter(({ table }) => table === 'bindings')];
}

function bindingsOf(topology: Topology, kind: 'exchange' | 'queue', name: string): TopologyEdit[] {
  const edits: TopologyEdit[] = [];
  for (const [id, binding] of topology.bindings)
    if (isEndOf(binding, kind, name)) edits.push({ table: 'bindings', id });
  return edits;
}
