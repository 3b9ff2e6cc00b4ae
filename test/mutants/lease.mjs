/** Who owns a partition, and who may write in its name. */
export default {
  area: 'log',
  mutants: [
    {
      promise: 'a stale epoch cannot commit',
      file: 'libs/log/src/store/commit.ts',
      replace: `if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return {1} end`,
      by: `if lease[1] ~= ARGV[1] then return {1} end`,
      spec: 'test/log/a-commit-says-why-it-was-refused.spec.ts',
    },
    {
      promise: 'a commit never goes back without a seek',
      file: 'libs/log/src/store/commit.ts',
      replace: `if offset < tonumber(lease[3] or '0') and not isSeek then return {1} end`,
      by: '',
      spec: 'test/log/a-commit-says-why-it-was-refused.spec.ts',
    },
    {
      promise: 'a lease that is held is not given to another',
      file: 'libs/log/src/store/lease.ts',
      replace: `if owner ~= '' and owner ~= ARGV[1] and owner ~= ARGV[4] and ends > now then return {0, ends - now, owner} end`,
      by: '',
      spec: 'test/log/partitions-are-disjoint-and-complete.spec.ts',
    },
    {
      promise: 'the epoch grows with every owner',
      file: 'libs/log/src/store/lease.ts',
      replace: `local epoch = tonumber(lease[2] or '0') + 1`,
      by: `local epoch = tonumber(lease[2] or '0')`,
      spec: 'test/log/a-frozen-owner-cannot-commit.spec.ts',
    },
  ],
};
