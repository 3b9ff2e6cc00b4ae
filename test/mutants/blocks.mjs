const bindings = 'test/queue/many-bindings-are-read-and-written-in-pieces.spec.ts';

/** No command holds Redis up: what is done to many is done in pieces, and a piece that was the last of a process leaves nothing wrong. */
export default {
  area: 'blocks',
  mutants: [
    {
      promise: 'what is left of a removed exchange does not come back with its name',
      file: 'libs/queue/src/model/topology-plan.ts',
      replace: `return binding !== undefined && isComplete(after, binding);`,
      by: `return false;`,
      spec: bindings,
    },
    {
      promise: 'who follows reads only what was changed',
      file: 'libs/queue/src/store/topology.ts',
      replace: `redis.call('ZADD', changes, newVersion, change)`,
      by: ``,
      spec: bindings,
    },
    {
      promise: 'a change is committed in pieces',
      file: 'libs/queue/src/topology/declarations.ts',
      replace: `edits.slice(count, count + maxEditsPerCommit)`,
      by: `edits.slice(count)`,
      spec: bindings,
    },
  ],
};
