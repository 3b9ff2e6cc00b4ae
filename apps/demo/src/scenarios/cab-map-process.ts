import { join } from 'node:path';
import { type Program, spawnProgram } from '@millrace/testing';

/** A member of the group `cab-map` in a process of its own. */
export class CabMapProcess {
  private constructor(
    readonly name: string,
    readonly memberId: string,
    readonly program: Program,
  ) {}

  /** Resolves when it has joined the group. */
  static async start(name: string, redisUrl: string): Promise<CabMapProcess> {
    const program = await spawnProgram(join(import.meta.dirname, 'cab-map-member.js'), { args: [redisUrl, name] });
    const line = await program.waitForLine(/^member /, { timeoutMs: 20_000 });
    return new CabMapProcess(name, line.slice('member '.length), program);
  }

  /** `partition offset` of each fix that it has handled. */
  get handled(): Set<string> {
    const lines = this.program.lines.filter((line) => line.startsWith('handled '));
    return new Set(lines.map((line) => line.slice('handled '.length)));
  }

  /** The lowest offset that it has handled of a partition. */
  firstOffset(partition: number): number {
    const places = [...this.handled].map((place) => place.split(' ').map(Number));
    return Math.min(...places.filter(([own]) => own === partition).map(([, offset = 0]) => offset));
  }
}
