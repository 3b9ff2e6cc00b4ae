import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fill } from '../backlog.js';
import { confirmedDurability } from '../durability.js';
import { payloadBytes } from '../payload.js';
import { queuePeers } from '../peers.js';
import type { Place } from '../place.js';
import type { Scenario } from '../scenario.js';

const processes = 4;
const concurrency = 25;
const name = `queue.processes.${processes}`;
const program = fileURLToPath(new URL('../consumer-process.js', import.meta.url));

export const queueProcesses: Scenario = {
  name,
  what: `${processes} consumer processes with concurrency ${concurrency} each empty one queue together`,
  results: [{ name, unit: 'messages/s', better: 'more', targets: { bullmq: { atLeast: 4 } } }],
  subjects: queuePeers(
    async (place, open, subject) => {
      const queue = await open(place);
      const count = fastOnes.includes(subject) ? (place.quick ? 100_000 : 200_000) : place.quick ? 2_500 : 20_000;
      await fill(queue, count);
      const { messages, seconds } = await drainTogether(place, subject, count);
      await queue.close().catch(() => undefined);
      return {
        values: { [name]: messages / seconds },
        settings: { payloadBytes, processes, concurrency, durability: await confirmedDurability(place, subject) },
        messages,
        seconds,
      };
    },
    ['millrace', 'ceiling', 'bullmq', 'ioredis', 'rabbitmq'],
  ),
};

// They would be done before the last process has started.
const fastOnes = ['millrace', 'ceiling'];

/** Timed from the moment when all have handled something and a fifth of the whole is done. */
async function drainTogether(place: Place, subject: string, count: number) {
  let handled = 0;
  let start: { readonly at: number; readonly handled: number } | undefined;
  const active = new Set<number>();
  return new Promise<{ messages: number; seconds: number }>((resolve, reject) => {
    for (let index = 0; index < processes; index++) {
      const child = fork(program, [subject, JSON.stringify(place), String(concurrency)], { execArgv: [] });
      child.on('exit', (code) => reject(new Error(`a consumer process ended with code ${code}`)));
      child.on('message', (news: { readonly handled: number }) => {
        const now = performance.now();
        handled += news.handled;
        active.add(index);
        if (start === undefined && active.size === processes && handled >= count / 5) start = { at: now, handled };
        if (handled < count) return;
        if (start === undefined)
          reject(new Error(`all was handled before the last of ${processes} processes had started`));
        else resolve({ messages: handled - start.handled, seconds: (now - start.at) / 1000 });
      });
    }
  });
}
