import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fault that a process does to itself when it gets the signal: it can be done from nowhere else. */
export interface SelfFault {
  /** `block`: its event loop stands still. `throw`: every callback that is not a handler throws. */
  readonly kind: 'block' | 'throw';
  /** How long, in ms. */
  readonly forMs: number;
}

/** Makes a process read its fault. Not SIGUSR1, which opens Node's inspector. */
export const selfFaultSignal = 'SIGUSR2';

export function writeSelfFault(folder: string, process: string, fault: SelfFault): void {
  writeFileSync(fileOf(folder, process), JSON.stringify(fault));
}

export function readSelfFault(folder: string, process: string): SelfFault {
  return JSON.parse(readFileSync(fileOf(folder, process), 'utf8')) as SelfFault;
}

function fileOf(folder: string, process: string): string {
  return join(folder, `${process}.fault`);
}
