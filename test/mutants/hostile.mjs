/** What comes out of Redis and is none of ours, and what is reported of it. */
export default {
  area: 'everywhere',
  mutants: [
    {
      promise: 'a message whose entry is no text is settled under another name',
      file: 'libs/queue/src/store/turn.ts',
      replace: `if (ids.some(isForeign)) ids =`,
      by: `if (entries.length < 0) ids =`,
      spec: 'test/security/entries-that-are-no-text-are-handled.spec.ts',
    },
    {
      promise: 'a message whose entry is no text is found after a turn that failed',
      file: 'libs/queue/src/store/held.ts',
      replace: `new Set(await namedEntries(client, keys, await client.smembersBuffer(keys.unacked)))`,
      by: `new Set(await client.smembers(keys.unacked))`,
      spec: 'test/security/entries-that-are-no-text-are-handled.spec.ts',
    },
    {
      promise: 'the same is reported once a second',
      file: 'libs/delivery/src/report-limit.ts',
      replace: `window.texts.has(text) || `,
      by: ``,
      spec: 'libs/delivery/src/report-limit.spec.ts',
    },
    {
      promise: 'what is held back is counted',
      file: 'libs/delivery/src/report-limit.ts',
      replace: `this.#tell(window.last, window.heldBack - 1)`,
      by: `this.#tell(window.last, 0)`,
      spec: 'libs/delivery/src/report-limit.spec.ts',
    },
    {
      promise: 'a line of the log is one',
      file: 'libs/nestjs/src/millrace-logger.ts',
      replace: `escapes[character] ?? codeOf(character)`,
      by: `character`,
      spec: 'libs/nestjs/src/millrace-logger.spec.ts',
    },
    {
      promise: 'a payload that is nested too deeply is invalid',
      file: 'libs/nestjs/src/payload-validation.ts',
      replace: `      throw new ValidationError(subject, ['it is nested too deeply to be checked']);`,
      by: `      throw error;`,
      spec: 'libs/nestjs/src/payload-validation.spec.ts',
    },
    {
      promise: 'a payload of which everything is wrong has a hundred problems named',
      file: 'libs/core/src/errors.ts',
      replace: `problems.slice(0, maxProblems)`,
      by: `problems.slice()`,
      spec: 'libs/nestjs/src/payload-validation.spec.ts',
    },
  ],
};
