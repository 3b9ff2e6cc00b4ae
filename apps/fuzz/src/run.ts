import { pause } from '@millrace/core';
import { type Program, spawnProgram, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Damage } from './damage.js';
import { Draw } from './draw.js';
import { type KeyKind, keyKinds } from './key-kinds.js';
import { flows } from './load.js';
import type { FuzzOptions } from './options.js';
import { parseReportLine } from './report-line.js';
import { Watchdog } from './watchdog.js';

/** Damage is done for so long, then it is taken away, and there is a rest for as long. */
const roundMs = 400;
const writesPerRound = 18;
const kindsPerRound = 6;
const comesBackWithinMs = 20_000;
const shownWrites = 40;

/** What came of a run. */
export interface FuzzResult {
  readonly broken: readonly string[];
  /** Errors of Millrace's, by their names. */
  readonly errors: Readonly<Record<string, number>>;
  /** Errors of something else, which explain nothing to a user. */
  readonly unclear: readonly string[];
  readonly most: Watchdog['most'];
  /** How many kinds of keys were written to. */
  readonly kinds: number;
  readonly writes: number;
  /** The last ones before something broke. */
  readonly lastWrites: readonly string[];
}

/** Writes anything into every kind of key that Millrace reads, while everything is in use, and looks what comes of it. */
export async function run({ seed, seconds }: FuzzOptions): Promise<FuzzResult> {
  const server = await startRedis({ config: { maxmemory: '0' } });
  const redis = server.client();
  const watchdog = new Watchdog(redis);
  const program = await spawnProgram(new URL('load-process.js', import.meta.url).pathname, {
    args: [server.url],
    env: { NODE_OPTIONS: '--max-old-space-size=512' },
  });
  try {
    await waitFor(() => program.lines.includes('ready'), { what: 'the load to begin' });
    const lines = new Lines(program, watchdog);
    const draw = new Draw(seed);
    const writes: string[] = [];
    const damage = new Damage(redis, draw);
    const seen = new Set<string>();
    const until = performance.now() + seconds * 1000;
    // What is declared decides what a process does with all the rest.
    const kindsInTurn = [
      ...keyKinds,
      ...keyKinds.filter(({ fields }) => fields?.includes('settings')),
      ...keyKinds.filter(isDeclared),
    ];
    let order = draw.shuffled(kindsInTurn);
    while (performance.now() < until && watchdog.broken.length === 0 && !lines.isOver()) {
      if (order.length < kindsPerRound) order = draw.shuffled(kindsInTurn);
      const kinds = order.splice(0, kindsPerRound);
      for (let write = 0; write < writesPerRound; write++) {
        const kind = draw.one(kinds);
        seen.add(kind.key);
        writes.push(await damage.write(kind));
        await pause(roundMs / writesPerRound);
      }
      await damage.heal();
      await pause(roundMs / 2);
      lines.read();
      await watchdog.look();
    }
    if (watchdog.broken.length === 0) await comesBack(redis, lines, watchdog);
    return {
      broken: watchdog.broken,
      errors: Object.fromEntries(watchdog.clear),
      unclear: [...watchdog.unclear].map(([text, during]) => `${during}: ${text}`),
      most: watchdog.most,
      kinds: seen.size,
      writes: writes.length,
      lastWrites: watchdog.broken.length > 0 ? writes.slice(-shownWrites) : [],
    };
  } finally {
    await program.kill('SIGKILL');
    await stopEverything();
  }
}

function isDeclared({ key }: KeyKind): boolean {
  return key.startsWith('{topology}:');
}

/** When nothing of what was written is there any more, messages go every way again, without a restart. */
async function comesBack(redis: { flushall(): Promise<unknown> }, lines: Lines, watchdog: Watchdog): Promise<void> {
  await redis.flushall();
  lines.read();
  const before = new Map(watchdog.handled);
  const missing = () => {
    lines.read();
    if (lines.isOver()) return [];
    return flows.filter((flow) => (watchdog.handled.get(flow) ?? -1) <= (before.get(flow) ?? -1) + 5);
  };
  const isBack = () => missing().length === 0;
  await waitFor(isBack, { what: 'all ways', timeoutMs: comesBackWithinMs }).catch(() => {
    watchdog.broken.push(
      `no message came by: ${missing().join(', ')}, ${comesBackWithinMs} ms after all was declared again`,
    );
  });
  lines.read();
}

/** What the process under load has reported so far. */
class Lines {
  readonly #program: Program;
  readonly #watchdog: Watchdog;
  #read = 0;
  #exit: string | undefined;

  constructor(program: Program, watchdog: Watchdog) {
    this.#program = program;
    this.#watchdog = watchdog;
    void program.exited.then(({ code, signal }) => {
      const said = program.errorLines.slice(-10).join('\n');
      this.#exit = `the process under load ended (code ${code}, signal ${signal}): ${said}`;
    });
  }

  read(): void {
    const { lines } = this.#program;
    for (const line of lines.slice(this.#read)) {
      const report = parseReportLine(line);
      if (report !== undefined) this.#watchdog.take(report);
    }
    this.#read = lines.length;
  }

  isOver(): boolean {
    if (this.#exit === undefined) return false;
    if (!this.#watchdog.broken.includes(this.#exit)) this.#watchdog.broken.push(this.#exit);
    return true;
  }
}
