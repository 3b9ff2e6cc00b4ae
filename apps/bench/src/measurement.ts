import { fileURLToPath } from 'node:url';
import { spawnProgram } from '@millrace/testing';
import type { Place } from './place.js';
import { readSample } from './sample-line.js';
import type { Sample } from './scenario.js';
import type { FoundServer } from './servers/found-server.js';

/** One subject of one scenario, once. */
export interface Measurement {
  readonly scenario: string;
  readonly subject: string;
  readonly server: FoundServer;
  readonly place: Place;
  readonly profileFolder: string | undefined;
  /** Ends it before its time. */
  readonly ending: AbortSignal;
}

const child = fileURLToPath(new URL('./child.js', import.meta.url));
/** A quarter of a million jobs of a slow peer, or a million messages on a busy machine, take minutes. */
const timeoutMs = 600_000;

/** Runs a measurement in a process of its own. @throws {Error} with what the process printed */
export async function take({ scenario, subject, server, place, profileFolder, ending }: Measurement): Promise<Sample> {
  const leased = await server.lease();
  const profile =
    profileFolder === undefined
      ? []
      : [
          '--cpu-prof',
          `--cpu-prof-dir=${profileFolder}`,
          `--cpu-prof-name=${scenario}-${subject}-${Date.now()}.cpuprofile`,
        ];
  const args = [scenario, subject, JSON.stringify({ ...place, ...leased.place })];
  const program = await spawnProgram(child, { args, execArgv: profile });
  const stop = () => void program.stop();
  const timer = setTimeout(stop, timeoutMs);
  if (ending.aborted) stop();
  ending.addEventListener('abort', stop);
  try {
    const { code, signal } = await program.exited;
    if (code === 0) return readSample(program.lines);
    const printed = [...program.lines, ...program.errorLines].slice(-30).join('\n');
    throw new Error(`it ended with ${signal ?? `code ${code}`}:\n${printed}`);
  } finally {
    clearTimeout(timer);
    ending.removeEventListener('abort', stop);
    await program.stop();
    await leased.release();
  }
}
