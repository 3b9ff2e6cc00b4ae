import { stopEverything } from '@millrace/testing';
import type { Scenario } from './scenario.js';
import { Stage } from './stage.js';

/** Plays a scenario; answers the exit code: 0 when all happened as promised. */
export async function runScenario(scenario: Scenario, write: (line: string) => void): Promise<number> {
  const { watch, play } = await scenario.load();
  write(`${scenario.name}: ${scenario.promise}`);
  write(`Watch: ${watch}`);
  const stage = new Stage(write);
  try {
    await play(stage);
  } catch (error) {
    stage.promised(`it went wrong: ${error instanceof Error ? error.message : error}`, false);
  }
  await stage.close();
  await stopEverything();
  write(stage.isKept ? 'What happened: all as promised.' : 'What happened: NOT as promised.');
  return stage.isKept ? 0 : 1;
}
