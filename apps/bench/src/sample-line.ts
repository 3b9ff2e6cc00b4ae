import type { Sample } from './scenario.js';

// So that whatever a library prints is not taken for the sample.
const prefix = 'millrace-bench-sample ';

/** How a measurement's process hands its sample to the bench: one line on standard output. */
export function sampleLine(sample: Sample): string {
  return `${prefix}${JSON.stringify(sample)}\n`;
}

/** @throws {Error} when there is none among the lines */
export function readSample(lines: readonly string[]): Sample {
  const line = lines.find((text) => text.startsWith(prefix));
  if (line === undefined) throw new Error('it ended without a sample');
  return JSON.parse(line.slice(prefix.length)) as Sample;
}
