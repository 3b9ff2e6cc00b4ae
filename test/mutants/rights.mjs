const user = 'test/security/a-user-can-do-no-more-than-its-role.spec.ts';
const needs = 'test/security/users-have-the-rights-they-need-and-no-more.spec.ts';

/** What users may do, and where a dead letter may be sent. */
export default {
  area: 'rights',
  mutants: [
    {
      promise: 'the rules of docs/ are those of aclRules()',
      file: 'libs/admin/src/acl/queue-grants.ts',
      replace: `{ access: 'read', keys: queue('settings'), commands: 'hmget' }`,
      by: `{ keys: queue('settings'), commands: 'hmget hset' }`,
      spec: needs,
    },
    {
      promise: 'the user of one queue has no other',
      file: 'libs/admin/src/acl/acl-rules.ts',
      replace: `return tagged(queues && withDeadLetters(queues)`,
      by: `return tagged(queues && withDeadLetters(['*'])`,
      spec: user,
    },
    {
      promise: 'to find a message takes no right to write',
      file: 'libs/queue/src/store/job.ts',
      replace: `act === 'find' ? findScript : jobScript`,
      by: `act === 'find' && jobBody === '' ? findScript : jobScript`,
      spec: user,
    },
    {
      promise: 'a dead letter of a queue goes nowhere that only its history names',
      file: 'libs/queue/src/dead-letters/redrive-origin.ts',
      replace: `if (queue === undefined || allowed.has(queue)) return undefined;`,
      by: `if (queue === undefined || allowed.size >= 0) return undefined;`,
      spec: 'test/queue/dead-letters-can-be-sent-back.spec.ts',
    },
    {
      promise: 'a dead letter of a topic goes nowhere that only it names',
      file: 'libs/log/src/dead-letters/redrive.ts',
      replace: `    if (!mayComeFrom(topic, options))`,
      by: `    if (!mayComeFrom)`,
      spec: 'test/log/dead-letters-are-sent-back-once.spec.ts',
    },
  ],
};
