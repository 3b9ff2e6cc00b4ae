import { describe, expect, it } from '@jest/globals';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import type { Stage } from './stage.js';

async function run(play: (stage: Stage) => Promise<void>): Promise<{ code: number; lines: string[] }> {
  const scenario: Scenario = { name: 'tides', promise: 'they come', load: async () => ({ watch: 'the sea', play }) };
  const lines: string[] = [];
  const code = await runScenario(scenario, (line) => lines.push(line));
  return { code, lines: lines.map((line) => line.replace(/^ +\d+\.\d s/, '')) };
}

describe('a scenario', () => {
  it('says what to watch and what happened, and ends with 0 when all was as promised', async () => {
    const kept = await run(async (stage) => {
      stage.say('It rises.');
      stage.promised('it is high.', true);
    });
    expect(kept).toEqual({
      code: 0,
      lines: [
        'tides: they come',
        'Watch: the sea',
        '  It rises.',
        '  kept:   it is high.',
        'What happened: all as promised.',
      ],
    });
  });

  it('ends with 1 when a promise was not kept', async () => {
    const broken = await run(async (stage) => {
      stage.promised('it is high.', false);
      stage.promised('it is wet.', true);
    });
    expect(broken.code).toBe(1);
    expect(broken.lines.slice(2)).toEqual([
      '  BROKEN: it is high.',
      '  kept:   it is wet.',
      'What happened: NOT as promised.',
    ]);
  });

  it('ends with 1 when it went wrong', async () => {
    const broken = await run(() => Promise.reject(new Error('no sea')));
    expect(broken.code).toBe(1);
    expect(broken.lines).toContain('  BROKEN: it went wrong: no sea');
  });
});
