import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Program, spawnProgram, waitFor } from '@millrace/testing';
import type { Assignment } from './load.js';
import { type SelfFault, selfFaultSignal, writeSelfFault } from './self-fault.js';

export type Role = 'producer' | 'consumer';

/** An orderly end may take as long as Redis is away. */
const endTimeoutMs = 40_000;

/** One place of work: when its process is gone, another one takes it, under another name. */
export class Post {
  readonly role: Role;
  readonly #name: string;
  readonly #assign: (name: string) => Assignment;
  #incarnation = 0;
  #program: Program | undefined;
  #journalFolder = '';
  /** Processes that ended without having been told to, and what they said. */
  readonly crashes: string[] = [];

  constructor(role: Role, index: number, assign: (name: string) => Assignment) {
    this.role = role;
    this.#name = `${role}-${index}`;
    this.#assign = assign;
  }

  /** Starts a process here. It is at work when it said so, which is not waited for: Redis may be away. */
  async staff(): Promise<void> {
    const assignment = this.#assign(`${this.#name}.${this.#incarnation++}`);
    this.#journalFolder = assignment.journalFolder;
    const path = fileURLToPath(new URL(`./${this.role}-process.js`, import.meta.url));
    const program = await spawnProgram(path, { env: { CHAOS: JSON.stringify(assignment) } });
    this.#program = program;
    void program.exited.then(({ code, signal }) => {
      if (this.#program !== program) return;
      this.crashes.push(
        `${assignment.name} ended by itself (${signal ?? code}): ${program.errorLines.slice(-12).join(' | ')}`,
      );
      void this.staff();
    });
  }

  /** Of the process that is here now. */
  get processName(): string {
    return `${this.#name}.${this.#incarnation - 1}`;
  }

  async ready(): Promise<void> {
    await this.#program?.waitForLine('ready', { timeoutMs: 30_000 });
  }

  async kill(): Promise<void> {
    const program = this.#leave();
    await program?.stop();
    await this.staff();
  }

  async freeze(forMs: number): Promise<void> {
    const program = this.#program;
    if (program === undefined || !program.isRunning) return;
    await program.freeze();
    await sleep(forMs);
    program.thaw();
  }

  /** Lets the process do something to itself, once it is at work; resolves when that is over. */
  async harmItself(fault: SelfFault): Promise<void> {
    const program = this.#program;
    if (program === undefined) return;
    await program.waitForLine('ready', { timeoutMs: 10_000 });
    writeSelfFault(this.#journalFolder, this.processName, fault);
    if (program.pid !== undefined) process.kill(program.pid, selfFaultSignal);
    await sleep(fault.forMs);
  }

  /** An orderly end. Answers who had to be forced. */
  async end(): Promise<string | undefined> {
    const program = this.#leave();
    if (program === undefined) return undefined;
    program.thaw();
    void program.kill('SIGTERM');
    const what = `${this.#name} to end`;
    const ended = waitFor(() => !program.isRunning, { what, timeoutMs: endTimeoutMs, intervalMs: 50 });
    const forced = await ended.then(
      () => undefined,
      () => this.processName,
    );
    await program.stop();
    return forced;
  }

  async stop(): Promise<void> {
    await this.#leave()?.stop();
  }

  /** From now on its end is no crash. */
  #leave(): Program | undefined {
    const program = this.#program;
    this.#program = undefined;
    return program;
  }
}

/** All processes that produce and consume. */
export class Crew {
  readonly producers: readonly Post[];
  readonly consumers: readonly Post[];
  /** Ends that were asked for and had to be forced. */
  readonly forcedEnds: string[] = [];

  constructor(sizes: Readonly<Record<Role, number>>, assign: (name: string) => Assignment) {
    const posts = (role: Role) => Array.from({ length: sizes[role] }, (_, index) => new Post(role, index, assign));
    this.producers = posts('producer');
    this.consumers = posts('consumer');
  }

  get crashes(): string[] {
    return [...this.producers, ...this.consumers].flatMap((post) => post.crashes);
  }

  /** Who is there now. */
  get processNames() {
    const namesOf = (posts: readonly Post[]) => posts.map(({ processName }) => processName);
    return { producer: namesOf(this.producers), consumer: namesOf(this.consumers) };
  }

  async start(): Promise<void> {
    const posts = [...this.consumers, ...this.producers];
    await Promise.all(posts.map((post) => post.staff()));
    await Promise.all(posts.map((post) => post.ready()));
  }

  /** One consumer after the other, as a deployment does it. */
  async rollConsumers(): Promise<void> {
    for (const post of this.consumers) {
      await this.#end(post);
      await post.staff();
      await post.ready().catch(() => undefined);
    }
  }

  async endAll(posts: readonly Post[]): Promise<void> {
    await Promise.all(posts.map((post) => this.#end(post)));
  }

  /** The processes that still run are killed immediately. */
  async stop(): Promise<void> {
    await Promise.all([...this.producers, ...this.consumers].map((post) => post.stop()));
  }

  async #end(post: Post): Promise<void> {
    const forced = await post.end();
    if (forced !== undefined) this.forcedEnds.push(`${forced} did not end within ${endTimeoutMs} ms`);
  }
}
