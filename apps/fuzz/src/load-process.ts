import { monitorEventLoopDelay } from 'node:perf_hooks';
import { inspect } from 'node:util';
import { pause } from '@millrace/core';
import { RedisConnection } from '@millrace/redis';
import { Load } from './load.js';
import type { ReportLine } from './report-line.js';

const pulseMs = 250;
const sendMs = 50;

function report(line: ReportLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function textOf(error: unknown): string {
  return inspect(error, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).slice(0, 600);
}

/** Does something again and again, until the process is asked to end. */
async function repeat(everyMs: number, act: () => Promise<void> | void): Promise<void> {
  while (!isEnding) {
    await act();
    await pause(everyMs);
  }
}

let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error: unknown) => report({ kind: 'uncaught', text: `${event}: ${textOf(error)}` }));
}

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const connection = await new RedisConnection({ url: process.argv[2] ?? '' }).open();
const load = new Load(connection, {
  handled: (flow, value) => report({ kind: 'handled', flow, value }),
  clear: ({ name }) => report({ kind: 'clear', name }),
  unclear: (during, error) => report({ kind: 'unclear', during, text: textOf(error) }),
});
await load.declare();
await load.start();
console.log('ready');
await Promise.all([
  repeat(pulseMs, () => {
    const { heapUsed, rss } = process.memoryUsage();
    report({ kind: 'pulse', lagMs: Math.round(delay.max / 1e6), heapBytes: heapUsed, rssBytes: rss });
    delay.reset();
  }),
  repeat(sendMs, () => void load.send()),
  repeat(10 * sendMs, () => load.declare()),
  repeat(5 * sendMs, () => load.come()),
  repeat(5 * sendMs, () => load.look()),
]);
await load.stop();
connection.close();
