import { type Binding, bindingId } from './binding.js';
import { type Topology, type TopologyEdit, withEdits } from './topology.js';

/** Removes a binding, and with its last one an auto-delete exchange. Nothing when there is no such binding. */
export function planUnbind(topology: Topology, binding: Binding): TopologyEdit[] {
  const id = bindingId(binding);
  if (!topology.bindings.has(id)) return [];
  return withOrphans(topology, [{ table: 'bindings', id }]);
}

/** Removes a queue or exchange with every binding from or to it, and the auto-delete exchanges that are left without one. */
export function planRemoval(topology: Topology, kind: 'exchange' | 'queue', name: string): TopologyEdit[] {
  const table = kind === 'queue' ? 'queues' : 'exchanges';
  if (!topology[table].has(name)) return [];
  return withOrphans(topology, [{ table, id: name }, ...bindingsOf(topology, kind, name)]);
}

/** Whether an exchange is the source or destination of any binding. */
export function isExchangeInUse(topology: Topology, name: string): boolean {
  return bindingsOf(topology, 'exchange', name).length > 0;
}

/** An auto-delete exchange whose last binding is among the removals goes too, which may orphan the next. */
function withOrphans(topology: Topology, removals: readonly TopologyEdit[]): TopologyEdit[] {
  const edits = [...removals];
  for (const edit of edits) {
    const source = edit.table === 'bindings' ? topology.bindings.get(edit.id)?.source : undefined;
    if (source === undefined || topology.exchanges.get(source)?.autoDelete !== true) continue;
    const after = withEdits(topology, edits);
    if (!after.exchanges.has(source) || [...after.bindings.values()].some((other) => other.source === source)) continue;
    edits.push({ table: 'exchanges', id: source }, ...bindingsOf(after, 'exchange', source));
  }
  return edits;
}

function bindingsOf(topology: Topology, kind: 'exchange' | 'queue', name: string): TopologyEdit[] {
  const edits: TopologyEdit[] = [];
  for (const [id, binding] of topology.bindings) {
    const isSource = kind === 'exchange' && binding.source === name;
    if (isSource || (binding.kind === kind && binding.destination === name)) edits.push({ table: 'bindings', id });
  }
  return edits;
}
