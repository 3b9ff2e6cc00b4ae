import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnProgram, stopEverything } from '@millrace/testing';
import { isWhole, sized } from '../proof.js';

const seconds = sized({ whole: 60, short: 12 });
const timeoutMs = 240_000;

describe(`faults for ${seconds} seconds`, () => {
  afterAll(stopEverything);

  it(
    'loses nothing, keeps every order, and lets no process change what it no longer owns',
    async () => {
      // given one server that syncs every write, a light load, and the faults of a seed: in a minute every kind of them
      const args = ['--seed', '6', '--seconds', String(seconds), '--rate', '120'];

      // when they are done to it
      const program = await spawnProgram('apps/chaos/dist/main.js', { args });
      const { code } = await program.exited;

      // then no promise was broken, and there was something that could have been
      const result = JSON.parse(program.lines.join('\n') || JSON.stringify({ violations: program.errorLines }));
      expect(result).toMatchObject({ violations: [], lost: 0, orderViolations: 0, offsetViolations: 0, crashes: 0 });
      expect(result).toMatchObject({ dualOwners: 0, staleCommitsAccepted: 0, earlyDeliveries: 0, undrained: 0 });
      expect(result).toMatchObject({ lostInBatches: 0, lostInRecreations: 0 });
      expect(Object.keys(result.faults).length).toBeGreaterThanOrEqual(isWhole ? 17 : 4);
      expect(result.confirmed).toBeGreaterThan(sized({ whole: 1000, short: 200 }));
      expect(result.commitsObserved).toBeGreaterThan(sized({ whole: 50, short: 10 }));
      expect(result.keptCompleted).toBeGreaterThan(0);
      expect(code).toBe(0);
    },
    timeoutMs,
  );
});
