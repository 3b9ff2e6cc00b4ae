import type { ConsumerInput } from '@millrace/log';
import type { ConnectionInput } from '@millrace/redis';
import { type Program, spawnProgram, waitFor } from '@millrace/testing';

/** One line that a member printed. */
export interface MemberLine {
  readonly what: string;
  readonly at: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly key?: string;
  readonly epoch?: number;
  readonly attempt?: number;
  readonly value?: unknown;
  readonly handled?: number;
  readonly isAborted?: boolean;
}

type MemberOptions = Pick<ConsumerInput, 'group'> &
  Partial<Omit<ConsumerInput, 'topics' | 'handler' | 'batchHandler'>> & {
    readonly topics: string;
    /** How long each handler takes. */
    readonly handlerMs?: number;
    /** SIGUSR2 blocks the event loop until there is this file. */
    readonly blockUntil?: string;
    /** This value blocks the event loop until `blockUntil` is there, and removes that; then its handler waits until it is aborted. */
    readonly blockOnValue?: unknown;
    /** A file that it makes when Redis has a commit of it. */
    readonly leavesFile?: string;
    /** Handles batches instead of single records. */
    readonly inBatches?: boolean;
    /** The process stops orderly, by itself, after this number of records. */
    readonly stopAt?: number;
    /** The process kills itself after this number of records. */
    readonly dieAt?: number;
    /** The process kills itself while it handles this value. */
    readonly dieOnValue?: unknown;
  };

/** A member of a group in a process of its own, so that it can really be killed and frozen. */
export class MemberProgram {
  private constructor(readonly program: Program) {}

  static async start(connection: ConnectionInput, options: MemberOptions): Promise<MemberProgram> {
    const env = { MEMBER: JSON.stringify({ connection, ...options }) };
    const member = new MemberProgram(await spawnProgram('test/programs/log-member.mjs', { env }));
    await member.program.waitForLine('"what":"started"');
    return member;
  }

  lines(what: string): MemberLine[] {
    return this.program.lines.map((line): MemberLine => JSON.parse(line)).filter((line) => line.what === what);
  }

  get handled(): MemberLine[] {
    return this.lines('handled');
  }

  /** Resolves when it has printed this number of lines of a kind. */
  async hasSaid(what: string, count = 1): Promise<void> {
    await waitFor(() => this.lines(what).length >= count, { what: `${count} × ${what}`, timeoutMs: 60_000 });
  }

  /** Ends it orderly. */
  async end(): Promise<void> {
    await this.program.kill('SIGTERM');
  }
}
