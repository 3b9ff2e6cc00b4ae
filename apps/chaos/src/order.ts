import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a process does to itself when it gets the signal: it can be done from nowhere else. */
export interface Order {
  /** `block`: its event loop stands still. `throw`: every callback that is not a handler throws. */
  readonly kind: 'block' | 'throw';
  /** How long, in ms. */
  readonly forMs: number;
}

/** Tells a process that there is an order for it. Not SIGUSR1, which opens Node's inspector. */
export const orderSignal = 'SIGUSR2';

export function writeOrder(folder: string, process: string, order: Order): void {
  writeFileSync(fileOf(folder, process), JSON.stringify(order));
}

export function readOrder(folder: string, process: string): Order {
  return JSON.parse(readFileSync(fileOf(folder, process), 'utf8')) as Order;
}

function fileOf(folder: string, process: string): string {
  return join(folder, `${process}.order`);
}
