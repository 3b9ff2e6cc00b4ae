const messages = 'test/queue/no-command-is-long-for-many-messages.spec.ts';
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
      promise: 'a process that follows reads only what was changed',
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
    {
      promise: 'a page begins where the last one ended, however much was taken before it',
      file: 'libs/queue/src/store/browse.ts',
      replace: `found < 0 && end > 0`,
      by: `false`,
      spec: messages,
    },
    {
      promise: 'a large page is read in pieces',
      file: 'libs/queue/src/queue-slots.ts',
      replace: `Math.min(mostTogether, limit - messages.length)`,
      by: `limit`,
      spec: messages,
    },
    {
      promise: 'a message for very many queues is several calls',
      file: 'libs/queue/src/publishing/publish-pipelines.ts',
      replace: `isFresh && slots.length <= maxQueues`,
      by: `isFresh`,
      spec: messages,
    },
    {
      promise: 'a call reaches each queue of a message once',
      file: 'libs/queue/src/publishing/publish-pipelines.ts',
      replace: `slots.filter((slot) => !publication.hasReached(slot))`,
      by: `slots`,
      spec: messages,
    },
    {
      promise: 'messages that are looked at one by one are fewer in a call',
      file: 'libs/queue/src/model/call-size.ts',
      replace: `const singleCost = 8;`,
      by: `const singleCost = 2;`,
      spec: messages,
    },
    {
      promise: 'a page of ready messages goes on with the first one when its last one was taken',
      file: 'libs/queue/src/store/browse.ts',
      replace: `  return found;\n`,
      by: `  return found < 0 ? index - 1 : found;\n`,
      spec: 'test/queue/no-command-is-long-for-many-messages.spec.ts',
    },
    {
      promise: 'a message that cannot be read hides no other',
      file: 'libs/queue/src/queued-message.ts',
      replace: `if (!(error instanceof CodecError)) throw error;`,
      by: `throw error;`,
      spec: 'test/queue/dead-letters-can-be-sent-back.spec.ts',
    },
    {
      promise: 'a purge is made in slices',
      file: 'libs/queue/src/store/purge.ts',
      replace: `[sliceMessages, left]`,
      by: `[1e6, left]`,
      spec: messages,
    },
  ],
};
