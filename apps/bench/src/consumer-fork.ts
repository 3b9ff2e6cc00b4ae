import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LedgerPages } from './delivery-ledger.js';
import type { Place } from './place.js';

/** What a consumer's process is started with. */
export interface ConsumerPlan {
  readonly subject: string;
  readonly place: Place;
  readonly concurrency: number;
  /** Its handlers hold what they were given until the process is killed. */
  readonly neverEnds: boolean;
}

/** What a consumer's process tells: deliveries since the last time, or all of them by id. */
export type ConsumerNews = { readonly handled: number } | { readonly pages: LedgerPages };

/** A consumer in a process of its own, which ends with this one. */
export interface ConsumerProcess {
  /** Rejects when it ends by itself. Never resolves. */
  readonly ended: Promise<never>;
  onHandled(listener: (more: number) => void): void;
  /** Every delivery it had. */
  pages(): Promise<LedgerPages>;
  /** SIGKILL: it closes nothing and gives nothing back. */
  kill(): void;
}

const program = fileURLToPath(new URL('./consumer-process.js', import.meta.url));

export function forkConsumer(
  subject: string,
  place: Place,
  { concurrency, neverEnds = false }: { readonly concurrency: number; readonly neverEnds?: boolean },
): ConsumerProcess {
  const plan: ConsumerPlan = { subject, place, concurrency, neverEnds };
  const child = fork(program, [JSON.stringify(plan)], { execArgv: [], serialization: 'advanced' });
  const ended = endOf(child);
  ended.catch(() => {});
  return {
    ended,
    onHandled: (listener) => {
      child.on('message', (news: ConsumerNews) => {
        if ('handled' in news) listener(news.handled);
      });
    },
    pages: async () => {
      child.send('pages');
      for (;;) {
        const [news] = (await once(child, 'message')) as [ConsumerNews];
        if ('pages' in news) return news.pages;
      }
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

async function endOf(child: ChildProcess): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`a consumer process ended with ${signal ?? `code ${code}`}`);
}
