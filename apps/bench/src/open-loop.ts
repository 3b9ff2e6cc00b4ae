import { preciseNow, sleep } from './clock.js';

// Timers are a millisecond late at times; later than this, the process itself was held up, and that counts.
const timerToleranceMs = 2;

/**
 * Calls `send` at a fixed rate, whatever the answers take: a slow subject cannot slow its own questions down. `send` gets
 * the time that its latency counts from: the call, or when the call was due if the process was too busy to make it.
 */
export async function openLoop(
  send: (at: number) => Promise<unknown>,
  { perSecond, count }: { perSecond: number; count: number },
): Promise<void> {
  const start = preciseNow();
  const answers: Promise<unknown>[] = [];
  while (answers.length < count) {
    for (;;) {
      const due = start + (answers.length * 1000) / perSecond;
      const now = preciseNow();
      if (now < due || answers.length === count) break;
      answers.push(send(now - due > timerToleranceMs ? due : now));
    }
    await sleep(1);
  }
  await Promise.all(answers);
}
