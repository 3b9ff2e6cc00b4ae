/** Who is in a group, and by which plan its members go. */
export default {
  area: 'log',
  mutants: [
    {
      promise: 'a member that registered again is not removed under its old presence',
      file: 'libs/log/src/store/members.ts',
      replace: `if connections ~= '' and redis.call('HGET', presence, memberId) ~= connections then return 0 end`,
      by: '',
      spec: 'test/log/a-member-is-removed-only-when-it-is-gone.spec.ts',
    },
    {
      promise: 'a new incarnation of a member is not removed in the name of the old one',
      file: 'libs/log/src/store/members.ts',
      replace: `if not entry or string.sub(entry, 1, #incarnation + 1) ~= incarnation .. ' ' then return 0 end`,
      by: '',
      spec: 'test/log/a-member-is-removed-only-when-it-is-gone.spec.ts',
    },
    {
      promise: 'two looks before a member is removed',
      file: 'libs/log/src/group/peer-watch.ts',
      replace: `const confirmed = [...missed].filter(([id, presence]) => this.#suspects.get(id) === presence);`,
      by: `const confirmed = [...missed];`,
      spec: 'test/log/a-member-is-removed-only-when-it-is-gone.spec.ts',
    },
    {
      promise: 'a plan for an old generation is refused',
      file: 'libs/log/src/store/plan.ts',
      replace: ` or (generation or '0') ~= replaced then return 0 end`,
      by: ` then return 0 end`,
      spec: 'test/log/a-plan-is-for-the-members-it-was-made-for.spec.ts',
    },
    {
      promise: 'a plan for other members is refused',
      file: 'libs/log/src/store/plan.ts',
      replace: `if (version or '0') ~= knownVersion or `,
      by: `if `,
      spec: 'test/log/a-plan-is-for-the-members-it-was-made-for.spec.ts',
    },
    {
      promise: 'a silent member is removed when its session ends',
      file: 'libs/log/src/store/members.ts',
      replace: `  redis.call('ZREM', members, silent)\n`,
      by: `  do break end\n`,
      spec: 'test/log/a-frozen-owner-cannot-commit.spec.ts',
    },
    {
      promise: 'a member that Redis does not let the others look for counts as alive',
      file: 'libs/log/src/store/presence.ts',
      replace: `    if (alive === undefined) continue;\n`,
      by: `    if (alive === undefined) {
      for (const other of candidates) checked.add(other);
      continue;
    }\n`,
      spec: 'test/security/without-client-list-the-lease-decides.spec.ts',
    },
    {
      promise: 'a member of a full Redis goes on to extend its session',
      file: 'libs/log/src/store/members.ts',
      replace: 'const heartbeat = new Script(`#!lua flags=allow-oom',
      by: 'const heartbeat = new Script(`#!lua',
      spec: 'test/log/a-group-outlives-any-outage.spec.ts',
    },
    {
      promise: 'a member whose place another process took stops',
      file: 'libs/log/src/store/members.ts',
      replace: `if string.sub(entry, 1, #incarnation + 1) ~= incarnation .. ' ' then return {entry:find('^[%w-]+ {') and 2 or 0} end`,
      by: '',
      spec: 'test/log/a-second-process-with-the-same-member-id-replaces-the-first.spec.ts',
    },
    {
      promise: 'no member joins while an operator has the group locked',
      file: 'libs/log/src/store/members.ts',
      replace: `if redis.call('EXISTS', locked) == 1 then return 0 end`,
      by: '',
      spec: 'test/log/offsets-are-reset-only-while-no-member-reads.spec.ts',
    },
  ],
};
