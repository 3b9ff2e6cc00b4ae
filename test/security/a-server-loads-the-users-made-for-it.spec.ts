import { afterEach, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything } from '@millrace/testing';
import { commandsOf, knowsWaitaof, pathOf, usersOf } from './acl-users.js';

const newer = 'users.acl';
const older = 'users-redis-7.0.acl';
/** Skipped by name on the other servers. */
const onNewer = knowsWaitaof ? it : it.skip;
const onOlder = knowsWaitaof ? it.skip : it;

/** The names of the users that a server has loaded, but its default user. */
async function loadedBy(file: string): Promise<string[]> {
  const server = await startRedis({ config: { aclfile: pathOf(file) } });
  const names = (await server.client().call('ACL', 'USERS')) as string[];
  return names.filter((name) => name !== 'default').sort();
}

describe('the users of docs/', () => {
  afterEach(stopEverything);

  it(`of ${older} differ from those of ${newer} by one right: WAITAOF, for those who may WAIT`, () => {
    const withWaitaof = usersOf(older).map(({ name, rules }) => ({
      name,
      rules: rules.flatMap((rule) => (rule === '+wait' ? ['+wait', '+waitaof'] : [rule])),
    }));
    expect(usersOf(newer)).toEqual(withWaitaof);
    expect(usersOf(newer).filter((user) => commandsOf(user).includes('waitaof'))).not.toEqual([]);
  });

  it(`of ${older} are loaded by every server`, async () => {
    expect(await loadedBy(older)).toEqual(
      usersOf(older)
        .map(({ name }) => name)
        .sort(),
    );
  });

  onNewer(`of ${newer} are loaded by Redis 7.2 or newer, and by Valkey`, async () => {
    expect(await loadedBy(newer)).toEqual(
      usersOf(newer)
        .map(({ name }) => name)
        .sort(),
    );
  });

  onOlder(`of ${newer} are not loaded by Redis 7.0, which does not know WAITAOF`, async () => {
    await expect(loadedBy(newer)).rejects.toThrow(/waitaof/i);
  });
});
