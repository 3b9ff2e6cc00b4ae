import { randomBytes } from 'node:crypto';

/** What a measurement calls its queue, stream or topic on a server that serves others as well: never the name of another program's. */
export function sharedName(): string {
  return `millrace-bench-${randomBytes(6).toString('hex')}`;
}
