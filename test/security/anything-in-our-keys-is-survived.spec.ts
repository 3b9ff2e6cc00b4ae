import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnProgram, stopEverything } from '@millrace/testing';
import { keyKinds } from '../../apps/fuzz/src/key-kinds.js';
import * as logKeys from '../../libs/log/src/store/keys.js';
import * as queueKeys from '../../libs/queue/src/store/keys.js';

/** What each function that makes keys is called with. One that is missing here fails: what it makes needs a kind to be fuzzed. */
const calls: Record<string, () => unknown> = {
  partitionKeys: () => logKeys.partitionKeys('millrace', 't', 0),
  groupPartitionKey: () => logKeys.groupPartitionKey('millrace', 't', 0, 'g'),
  topicsKey: () => logKeys.topicsKey('millrace'),
  topicIdsKey: () => logKeys.topicIdsKey('millrace'),
  groupKeys: () => logKeys.groupKeys('millrace', 'g'),
  groupsKey: () => logKeys.groupsKey('millrace'),
  copiesKey: () => logKeys.copiesKey('millrace', 't', 0, 'any'),
  queueKeys: () => queueKeys.queueKeys('millrace', 'q'),
  waitingKeys: () => queueKeys.waitingKeys(queueKeys.queueKeys('millrace', 'q'), 1),
  formerMetaKey: () => queueKeys.formerMetaKey('millrace', 'q'),
  unackedKey: () => queueKeys.unackedKey('millrace', 'q', 'any'),
  broughtKey: () => queueKeys.broughtKey('millrace', 'q', 'any'),
  resultKey: () => queueKeys.resultKey('millrace', 'q', 'any'),
  publishedKey: () => [
    queueKeys.publishedKey('millrace', 'q', 'any', 1),
    queueKeys.publishedKey('millrace', undefined, 'any', 1),
  ],
  replyKeys: () => queueKeys.replyKeys('millrace', 'any'),
  topologyKeys: () => queueKeys.topologyKeys('millrace'),
  upkeepLeaderKey: () => queueKeys.upkeepLeaderKey('millrace'),
};

const texts = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(value as object).flatMap(texts);

describe('anything in our keys', () => {
  afterAll(stopEverything);

  it('is tried with every kind of key that is made', () => {
    const makers = [...Object.keys(logKeys), ...Object.keys(queueKeys)].filter((name) => /Keys?$/.test(name));
    expect(makers.filter((name) => calls[name] === undefined)).toEqual([]);
    const patterns = keyKinds.map(
      ({ key }) => new RegExp(`^millrace:${key.replaceAll(/[{}]/g, '\\$&').replaceAll('*', '.+')}$`),
    );
    const made = Object.values(calls).flatMap((call) => texts(call()));
    expect(made.length).toBeGreaterThan(40);
    expect(made.filter((key) => !patterns.some((pattern) => pattern.test(key)))).toEqual([]);
  });

  it('ends no process, stops none, makes none grow or spin, and all ways are open again when it is gone', async () => {
    // given: a process with everything in use
    const args = ['--seed', '204117', '--seconds', '60'];
    // when
    const program = await spawnProgram('apps/fuzz/dist/main.js', { args });
    const { code } = await program.exited;
    // then
    const result = JSON.parse(program.lines.join('\n') || JSON.stringify({ broken: program.errorLines }));
    expect(result).toMatchObject({ broken: [] });
    expect(result.kinds).toBeGreaterThan(40);
    expect(result.errors.DamagedStateError).toBeGreaterThan(0);
    expect(code).toBe(0);
  }, 180_000);
});
