/** What something else than Millrace writes into a log, and what does not fit where it stands. */
const spec = 'test/log/foreign-entries-stop-no-reader.spec.ts';

export default {
  area: 'log',
  mutants: [
    {
      promise: 'a dead letter counts as written only once it is',
      file: 'libs/log/src/store/copy.ts',
      replace: `if refusal then return refusal end\n`,
      by: '',
      spec,
    },
    {
      promise: 'what stands behind the log is none of its batches',
      file: 'libs/log/src/model/entry-chain.ts',
      replace: `|| endOffset > end)`,
      by: `)`,
      spec,
    },
    {
      promise: 'a stream takes records again once what stood behind the log is gone',
      file: 'libs/log/src/store/foreign-entries.ts',
      replace: `redis.pcall('XSETID', records, last)`,
      by: `redis.call('EXISTS', records)`,
      spec,
    },
    {
      promise: 'an append is refused with a count that is not its frame’s',
      file: 'libs/log/src/store/log-entry.ts',
      replace: `if batch.frame:byte(1) == 1 and`,
      by: `if false and`,
      spec,
    },
    {
      promise: 'an entry that does not follow what was read is no batch',
      file: 'libs/log/src/model/entry-chain.ts',
      replace: `  if (before.nonce !== undefined && previousNonce !== before.nonce) return false;\n`,
      by: '',
      spec: 'libs/log/src/model/entry-chain.spec.ts',
    },
    {
      promise: 'a batch that claims fewer records than it has a place for is a dead letter',
      file: 'libs/log/src/partition/fetched-batch.ts',
      replace: `isInside ? head.count === places : head.count >= places`,
      by: `head.count >= 0`,
      spec,
    },
    {
      promise: 'a partition that is no stream keeps no other from being read',
      file: 'libs/log/src/reader/batch-reader.ts',
      replace: `if (isWrongType(error)) return readEach`,
      by: `if (false) return readEach`,
      spec,
    },
    {
      promise: 'a damaged batch is done as one, however many records it claims',
      file: 'libs/log/src/model/frontier.ts',
      replace: `      this.#leapTo(next.end);\n`,
      by: `      this.#leapTo(next.end - 1);\n`,
      spec: 'libs/log/src/model/frontier.spec.ts',
    },
    {
      promise: 'a frame says no more records than its bytes can hold',
      file: 'libs/log/src/model/batch-compression.ts',
      replace: `count > 0 && count <= most`,
      by: `count > 0`,
      spec: 'libs/log/src/model/batch-compression.spec.ts',
    },
  ],
};
