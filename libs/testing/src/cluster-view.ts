import { askRedis } from './redis-question.js';

/** One node, as another node sees it: a line of `CLUSTER NODES`. */
export interface ClusterNodeView {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  /** The master that it replicates; `undefined` for a master. */
  readonly masterId: string | undefined;
  readonly configEpoch: number;
  readonly isLinked: boolean;
  /** First and last slot of each range that it serves. */
  readonly slots: readonly (readonly [number, number])[];
}

/** The cluster, as one node sees it. */
export async function viewOf(server: { port: number; password?: string | undefined }): Promise<ClusterNodeView[]> {
  const reply = await askRedis(server, ['CLUSTER', 'NODES']);
  return reply
    .split('\n')
    .filter((line) => /^[0-9a-f]{40} /.test(line))
    .map(parseLine);
}

/** `<id> <ip>:<port>@<bus port>[,<host>] <flags> <master> <ping> <pong> <epoch> <link> <slot>… ` */
function parseLine(line: string): ClusterNodeView {
  const [id = '', address = '', flags = '', master = '-', , , epoch = '0', link = '', ...slots] = line
    .trim()
    .split(' ');
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: flags.split(','),
    masterId: master === '-' ? undefined : master,
    configEpoch: Number(epoch),
    isLinked: link === 'connected',
    // A slot in brackets is being moved.
    slots: slots.filter((slot) => !slot.startsWith('[')).map(parseRange),
  };
}

function parseRange(text: string): readonly [number, number] {
  const [first, last = first] = text.split('-').map(Number);
  return [first ?? -1, last ?? -1];
}
