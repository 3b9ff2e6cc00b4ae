const names = 'libs/core/src/names.spec.ts';
const queues = 'test/queue/any-name-that-amqp-allows-is-a-queue.spec.ts';
const topics = 'test/log/any-name-is-a-topic-and-a-group.spec.ts';
const labels = 'test/metrics/any-name-is-a-label.spec.ts';
const handlers = 'test/nest/any-name-has-handlers.spec.ts';

/** Any name that AMQP and Kafka allow is allowed, and no two share anything. */
export default {
  area: 'names',
  mutants: [
    {
      promise: 'patterns with spaces are distinguished',
      file: 'libs/nestjs/src/plans/source-overlap.ts',
      replace: `(?:[^\\\\^$.*+?()[\\]{}|]|`,
      by: `(?:[\\w@~/-]|`,
      spec: 'libs/nestjs/src/plans/source-overlap.spec.ts',
    },
    {
      promise: 'a name that holds an escape is no other',
      file: 'libs/core/src/names.ts',
      replace: `/[^A-Za-z0-9._\\-/@~+\\u0080-\\uffff]/g`,
      by: `/[^A-Za-z0-9._\\-/@~+%\\u0080-\\uffff]/g`,
      spec: names,
    },
    {
      promise: 'only what escapeName writes is unescaped',
      file: 'libs/core/src/names.ts',
      replace: `return escapeName(name) === escaped ? name : undefined;`,
      by: `return name;`,
      spec: names,
    },
    {
      promise: 'half a surrogate pair is in no name',
      file: 'libs/core/src/names.ts',
      replace: `/[\\p{Cc}\\p{Surrogate}]/u`,
      by: `/\\p{Cc}/u`,
      spec: names,
    },
    {
      promise: 'a queue whose name has a colon is no shard',
      file: 'libs/queue/src/model/shards.ts',
      replace: `return escapeName(queue) + `,
      by: `return queue + `,
      spec: queues,
    },
    {
      promise: 'a slot of a queue is no other queue in this process either',
      file: 'libs/queue/src/model/shards.ts',
      replace: `const separator = '\\u001f';`,
      by: `const separator = ':';`,
      spec: queues,
    },
    {
      promise: 'a queue may be called as the address of a process',
      file: 'libs/queue/src/model/reply-target.ts',
      replace: `reply:([\\w-]{22})$`,
      by: `reply:([\\w-]+)$`,
      spec: queues,
    },
    {
      promise: 'a topic whose name has a colon is no partition of another',
      file: 'libs/log/src/store/keys.ts',
      replace: `{log:\${escapeName(topic)}:`,
      by: `{log:\${topic}:`,
      spec: 'libs/log/src/store/keys.spec.ts',
    },
    {
      promise: 'a brace in a name moves no key of a group',
      file: 'libs/log/src/store/keys.ts',
      replace: `{group:\${escapeName(group)}}`,
      by: `{group:\${group}}`,
      spec: 'libs/log/src/store/keys.spec.ts',
    },
    {
      promise: 'a group that is called redrive is not taken for a redrive',
      file: 'libs/log/src/store/keys.ts',
      replace: `group === redrive ?`,
      by: `group === '' ?`,
      spec: 'libs/log/src/store/keys.spec.ts',
    },
    {
      promise: 'a topic is not called as a folder',
      file: 'libs/log/src/model/topic.ts',
      replace: `assertNoProblem('topic', topicNameProblem(input?.name));`,
      by: ``,
      spec: topics,
    },
    {
      promise: 'what a consumer is called in log lines has no line breaks',
      file: 'libs/core/src/options.ts',
      replace: `if (problem !== undefined) report(\`\${path} \${show(value)} holds \${problem}\`);`,
      by: ``,
      spec: topics,
    },
    {
      promise: 'a space in a name adds no group to another',
      file: 'libs/metrics/src/partition-series.ts',
      replace: `const key = \`\${group}\\n\${name}\`;`,
      by: `const key = \`\${group} \${name}\`;`,
      spec: labels,
    },
    {
      promise: 'a queue may be called as the temporary ones are together',
      file: 'libs/metrics/src/queue-metrics.ts',
      replace: ` || queue.queue === temporaryQueues`,
      by: ``,
      spec: labels,
    },
    {
      promise: 'a connection shares no token with another',
      file: 'libs/nestjs/src/decorators/tokens.ts',
      replace: `return declaredBy('queues', 'queue', nameOf(queue), connection);`,
      by: `return declaredBy('queues', 'queue', nameOf(queue).slice(-1), defaultConnection);`,
      spec: handlers,
    },
  ],
};
