/**
 * Faults of pure code that no spec can catch: they change nothing that a caller could see. `code` is where they are, as it stands once
 * in the file, and `becomes` what is put in its place (default: anything). Only what survives is left out of the count.
 */
export default [
  {
    file: 'libs/core/src/failure.ts',
    code: `if (typeof thrown !== 'object' || thrown === null) return undefined;`,
    reason: 'a short cut: what is no object throws when its property is read',
  },
  {
    file: 'libs/core/src/remote-failure.ts',
    code: `typeof marked === 'object' && marked !== null ?`,
    reason: 'there for the compiler: what is no object has no properties that are sent',
  },
  {
    file: 'libs/core/src/fifo.ts',
    code: `    if (this.#head === this.#items.length) return undefined;
    // Usually it is the only item: the list is kept.
    if (this.#items.length === 1) return this.#items.pop();`,
    reason: 'short cuts: without them the list is emptied further down',
  },
  {
    file: 'libs/core/src/fifo.ts',
    code: `    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {`,
    reason: 'when the list is shortened is a matter of memory and time',
  },
  {
    file: 'libs/core/src/fifo.ts',
    code: 'index < this.#items.length; index++',
    becomes: ['index <= this.#items.length'],
    reason: 'what is behind the end is undefined, and is passed over',
  },
  {
    file: 'libs/core/src/fifo.ts',
    code: 'if (item !== undefined)',
    reason: 'between head and end nothing is undefined: it is there for the compiler',
  },
  {
    file: 'libs/core/src/short-lived-map.ts',
    code: 'size === 0 ? this.#passed >= minPassedEmpty : this.#passed >= minPassed && this.#passed >= size * 4',
    reason: 'when the map starts again with a new one affects memory and time only; two specs measure it',
  },
  {
    file: 'libs/core/src/byte-reader.ts',
    code: `    if (first !== undefined && first < 0x80) {
      this.#position++;
      return first;
    }`,
    reason: 'a short cut for numbers of one byte: the loop reads them too',
  },
  {
    file: 'libs/core/src/byte-writer.ts',
    code: `    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));`,
    reason: 'how much the buffer grows is a matter of time',
  },
  {
    file: 'libs/core/src/guarded-codec.ts',
    code: `if (isThenable(each)) wrongAnswer('', '', each);`,
    reason: 'the words of this error are not used, and it looks itself whether there is a promise',
  },
  {
    file: 'libs/core/src/guarded-codec.ts',
    code: `    ...(codec.encodeTexts && { encodeTexts: (values) => together(() => codec.encodeTexts?.(values), values, isText) }),
    ...(codec.decodePart && { decodePart: (bytes, start, end) => decoded(codec.decodePart?.(bytes, start, end)) }),
    ...(codec.decodeText && { decodeText: (text) => decoded(codec.decodeText?.(text)) }),
    ...(codec.decodeTexts && { decodeTexts: (texts) => together(() => codec.decodeTexts?.(texts), texts, isValue) }),`,
    reason: 'it is there, as has just been asked: the question mark is for the compiler',
  },
  {
    file: 'libs/core/src/numbers.ts',
    code: `typeof value === 'number' && Number.isInteger(value) && value >= min`,
    becomes: ['true'],
    reason: 'for the compiler: isInteger is false of what is no number',
  },
  {
    file: 'libs/core/src/numbers.ts',
    code: `typeof value === 'number' && Number.isFinite(value);`,
    becomes: ['true'],
    reason: 'for the compiler: isFinite is false of what is no number',
  },
  {
    file: 'libs/core/src/backoff.ts',
    code: `typeof value === 'number' && Number.isFinite(value);`,
    becomes: ['true'],
    reason: 'for the compiler: isFinite is false of what is no number',
  },
  {
    file: 'libs/core/src/guarded-codec.ts',
    code: `typeof id === 'number' && Number.isInteger(id)`,
    becomes: ['true'],
    reason: 'for the compiler: isInteger is false of what is no number',
  },
  {
    file: 'libs/core/src/callback.ts',
    code: `  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;`,
    reason: 'for the compiler: of anything else `in` throws, which is caught below',
  },
  {
    file: 'libs/core/src/json-codec.ts',
    code: `    // The others most likely look like the first.
    if (JSON.stringify(values[0])?.includes(boundary)) return undefined;`,
    reason: 'saves the work of taking apart what will not come apart',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'if (offset < this.#top && this.#ring[offset & (this.#ring.length - 1)] === 1) return true;',
    becomes: ['offset <= this.#top'],
    reason: 'nothing is marked at the top',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'const isDone = offset < this.#top && this.#ring[offset & (this.#ring.length - 1)] === 1;',
    reason: 'isDone is false at the top',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: `      if (isDone && start < 0) start = offset;
      if (isDone || start < 0) continue;`,
    becomes: ['start <= 0'],
    reason: 'a run begins behind the frontier, which is 0 or more',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'while (this.#offset < this.#top && this.#ring[this.#offset & mask] === 1) {',
    reason: 'nothing is marked at the top',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'if (this.#top < this.#offset) this.#top = this.#offset;',
    reason: 'a top below the frontier is as good as none: nothing is done beyond',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'while (offset - this.#offset >= length) length *= 2;',
    becomes: ['offset + this.#offset'],
    reason: 'a larger ring holds the same',
  },
  {
    file: 'libs/log/src/model/frontier.ts',
    code: 'for (let at = this.#offset; at < this.#top; at++) {',
    becomes: ['at <= this.#top'],
    reason: 'nothing is marked at the top',
  },
  {
    file: 'libs/log/src/model/due-queue.ts',
    code: `    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.dueMs <= dueMs) break;`,
    reason: 'above the top there is none, and of two that are due at one time either may come first',
  },
  {
    file: 'libs/log/src/model/due-queue.ts',
    code: `      const least = (heap[right]?.dueMs ?? Number.POSITIVE_INFINITY) < (heap[left]?.dueMs ?? 0) ? right : left;
      const child = heap[least];
      if (child === undefined || child.dueMs >= entry.dueMs) break;`,
    reason: 'of two that are due at one time either may come first',
  },
  {
    file: 'libs/log/src/model/due-queue.ts',
    code: 'if (last !== undefined && last !== top)',
    becomes: ['true'],
    reason: 'for the compiler: there is a top, so there is a last',
  },
  {
    file: 'libs/log/src/model/record-batch.ts',
    code: `    const isText = typeof value === 'string' && value.length === valueBytes && value.length < 0x4000;
    if (isText && key === undefined && headers === undefined && delay >= 0 && delay < 0x40) {
      this.#text += plainHead(delay, value.length) + value;
      return;
    }`,
    becomes: ['false', `typeof value !== 'string'`, '""', '{}', 'delay > 0'],
    reason: 'written as bytes they are the same bytes: text is quicker',
  },
  {
    file: 'libs/log/src/model/record-batch.ts',
    code: `if (this.#text !== '') this.#body.latin1(this.#text);`,
    reason: 'no text is no bytes',
  },
  {
    file: 'libs/log/src/model/record-batch.ts',
    code: 'new Array(batch.count)',
    reason: 'a list that grows holds the same',
  },
  {
    file: 'libs/log/src/model/topic.ts',
    code: '(a < b ? -1 : 1)',
    reason: 'any order will do that is the same for both',
  },
  {
    file: 'libs/log/src/model/offset-range.ts',
    code: `const why = wanted < log.start ? 'below-log-start' : 'log-truncated';`,
    becomes: ['wanted <= log.start'],
    reason: 'the start itself is in the log',
  },
  {
    file: 'libs/log/src/model/key-queues.ts',
    code: 'return this.#queues.size > 0 && this.#queues.has(key);',
    becomes: ['true', 'this.#queues.size >= 0'],
    reason: 'a short cut: an empty map has no key',
  },
  {
    file: 'libs/log/src/model/dead-letter.ts',
    code: 'new RecordBatchWriter(records.reduce((bytes, { value }) => bytes + value.length + 512, 0))',
    reason: 'a guess at the room it takes',
  },
  {
    file: 'libs/metrics/src/model/commit-window.ts',
    code: `  const first = commits[0]?.at ?? now;
  const last = commits.at(-1)?.at ?? now;`,
    reason: 'the first look is a commit: there is always one',
  },
  {
    file: 'libs/queue/src/model/topic-trie.ts',
    code: `    if (!isPattern(pattern)) {
      const values = this.#exact.get(pattern);
      if (values === undefined) this.#exact.set(pattern, [value]);
      else values.push(value);
      return;
    }`,
    reason: 'keys without a wildcard are found in the trie as well: the look-up is quicker',
  },
  {
    file: 'libs/queue/src/model/topic-trie.ts',
    code: '#hasPatterns = false;',
    reason: 'without patterns the walk finds nothing',
  },
  {
    file: 'libs/queue/src/model/topic-trie.ts',
    code: 'if (!this.#hasPatterns) return;',
    reason: 'without patterns the walk finds nothing',
  },
  {
    file: 'libs/queue/src/model/topic-trie.ts',
    code: 'if (next.length === 0) return;',
    reason: 'where there is no place left, the rest of the walk finds none',
  },
  {
    file: 'libs/queue/src/model/topic-pattern.ts',
    code: `return (key.includes('*') || key.includes('#')) && wordsOf(key).some((word) => word === '*' || word === '#');`,
    reason: 'what is none may be taken for a pattern: it matches itself alone, if not as quickly',
  },
  {
    file: 'libs/queue/src/model/outgoing-frame.ts',
    code: `let last = { priority: 0, codecId: 0, timestamp: -1, head: '' };`,
    reason: 'the first frame is of another time, whatever stands here',
  },
  {
    file: 'libs/queue/src/model/outgoing-frame.ts',
    code: 'timestamp !== last.timestamp || priority !== last.priority || codecId !== last.codecId',
    becomes: ['true'],
    reason: 'the head may be made again for each frame: it takes longer',
  },
  {
    file: 'libs/queue/src/model/message-frame.ts',
    code: `const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;`,
    becomes: ['true'],
    reason: 'of bytes, byteLength is their length',
  },
  {
    file: 'libs/queue/src/model/message-frame.ts',
    code: 'if (properties === noProperties) return 0;',
    reason: 'a short cut: nothing is in it',
  },
  {
    file: 'libs/queue/src/model/message-frame.ts',
    code: 'return headers[retryHeader] === undefined ? message : withRetry(message);',
    becomes: ['false'],
    reason: 'a short cut: withRetry finds none',
  },
  {
    file: 'libs/queue/src/model/deliveries.ts',
    code: 'if (packed === 0) return noDeliveries;',
    reason: 'a short cut: all counts of 0 are 0',
  },
  {
    file: 'libs/queue/src/model/routing.ts',
    code: 'if (this.#hops.has(name)) return this.#hops.get(name);',
    reason: 'it may be made again each time: it takes longer',
  },
  {
    file: 'libs/queue/src/model/routing.ts',
    code: 'if (known !== undefined) return known;',
    becomes: ['false'],
    reason: 'it may be worked out again each time: it takes longer',
  },
];
