import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnProgram, stopEverything } from '@millrace/testing';
import { demoProgram } from './shop.js';

/** Scenario → lines that it must print, in this order. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  'consumer-crash': [
    /kill -9: the first member is dead, after \d+ fixes/,
    /kept: .*partition \d: committed (?<first>\d+), resumed at \k<first>\./,
    /kept: .*partition \d: committed (?<other>\d+), resumed at \k<other>\./,
    /kept: .*all 2000 fixes were handled/,
  ],
  'poison-message': [
    /Attempt 4 fails, 19 others are handled/,
    /emails\.dead-letters holds message 7: .* in emails, "no way to handle 7"/,
    /kept: .*one attempt and three retries/,
    /kept: .*the other 19 were handled meanwhile/,
    /1 dead letter is sent back/,
    /kept: .*message 7 was handled, and no dead letter is left/,
    /orders\.dead-letters holds the record, .* lag 0/,
    /kept: .*the other 19 were handled meanwhile/,
    /kept: .*record 7 was handled/,
  ],
  'pace-matching': [
    /All 60 are in/,
    /60 sent in [\d.]+ s/,
    /kept: .*the queue held up to \d+ of them/,
    /kept: .*never more than 15 a second/,
    /kept: .*all 60 were sent, each once/,
  ],
  fanout: [/kept: .*"india\.order" → email, sms, inventory/, /kept: .*queue inventory holds 3/],
  direct: [
    /kept: .*"email" → email, audit/,
    /kept: .*"push" → no queue: unroutable/,
    /kept: .*queue audit holds 2: "email", "sms"/,
  ],
  topic: [
    /kept: .*"india\.order" → one-word, india, everything/,
    /kept: .*"india\.order\.123" → orders-anywhere, india, everything/,
    /kept: .*queue one-word holds 2: "india\.order", "india\.payment"/,
  ],
  replay: [
    /kept: .*group analytics reads 60/,
    /kept: .*from its start it reads 60 orders again/,
    /kept: .*from midnight it reads 30 orders again/,
    /kept: .*group shop did not notice: lag 0/,
  ],
  'redis-failover': [
    /kill -9: the primary on port \d+ is dead/,
    /Sentinel promoted the replica on port \d+/,
    /kept: .*all \d+ confirmed orders were handled, 0 are missing/,
  ],
  full: [
    /kept: .*drop-head: holds 3 4 5; dead letters 1 2; refused nothing/,
    /kept: .*reject-publish: holds 1 2 3; dead letters nothing; refused 4 5/,
    /kept: .*dead-letter: holds 1 2 3; dead letters 4 5; refused 4 5/,
    /kept: .*after \d+ messages Redis is full, and publishing says so: /,
    /kept: .*a full Redis was drained/,
    /kept: .*there is room again/,
  ],
};

describe('npm start -- --scenario', () => {
  afterAll(stopEverything);

  it.each(Object.keys(expected))(
    '%s',
    async (name) => {
      // when
      const program = await spawnProgram(demoProgram, { args: ['--scenario', name] });
      const { code } = await program.exited;
      // then
      const printed = program.lines.join('\n');
      expect(printed).toMatch(new RegExp(`^${name}: .+\nWatch: .+`));
      expect(printed).toMatch(new RegExp(expected[name]?.map(({ source }) => source).join('[^]*') ?? ''));
      expect(program.lines.at(-1)).toBe('What happened: all as promised.');
      expect(code).toBe(0);
      await program.stop();
    },
    120_000,
  );

  it('says which scenarios there are, to --help and to a wrong name', async () => {
    const help = await spawnProgram(demoProgram, { args: ['--help'] });
    const wrong = await spawnProgram(demoProgram, { args: ['--scenario', 'unknown'] });
    expect([await help.exited, await wrong.exited]).toMatchObject([{ code: 0 }, { code: 1 }]);
    for (const name of Object.keys(expected)) expect(help.lines.join('\n')).toContain(`\n  ${name} `);
    expect(wrong.errorLines).toEqual([
      `There is no scenario "unknown". There are ${Object.keys(expected).join(', ')}.`,
    ]);
    expect(wrong.lines).toEqual([]);
  }, 60_000);
});
