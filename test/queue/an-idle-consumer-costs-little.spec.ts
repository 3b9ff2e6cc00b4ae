import { afterAll, describe, expect } from '@jest/globals';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { onOneServer } from '../one-server.js';
import { openBroker, ownPrefix } from './broker.js';

const windowSeconds = 6;
/** Each periodic duty (heartbeat, wait, watch, upkeep) may fall into a window once more than its rate suggests. */
const duties = 4;

describe('consumers that wait', () => {
  afterAll(stopEverything);

  onOneServer('monitor').it(
    'send no more than two commands a second each, with all that their Broker does',
    async () => {
      // given: one process each
      const waiting = [['a'], ['a', 'a'], ['a', 'a', 'a'], ['a', 'a', 'b', 'b']];
      const idle = await Promise.all(waiting.map(startWaiting));
      // when
      const counted = await Promise.all(idle.map(({ server }) => commandsIn(server, windowSeconds)));
      await Promise.all(idle.map(({ close }) => close()));
      // then: by the clock of Redis
      for (const [index, { seconds, commands }] of counted.entries()) {
        const consumers = waiting[index]?.length ?? 0;
        const most = 2 * consumers * seconds + duties * consumers;
        expect({ isCheap: commands.length <= most, consumers, most, sent: tally(commands) }).toEqual(
          expect.objectContaining({ isCheap: true }),
        );
        // It does live.
        expect(commands.length).toBeGreaterThan(consumers);
      }
    },
  );
});

async function startWaiting(queues: readonly string[]) {
  const server = await startRedis();
  const { broker, close } = await openBroker(server, ownPrefix());
  for (const queue of queues) {
    await broker.declareQueue({ name: queue });
    await broker.consumer({ queue, handler: () => undefined }).start();
  }
  return { server, close };
}

/** What clients send between two marks that Redis sets some seconds apart, by its own clock; nothing that a script calls. */
async function commandsIn(server: RedisServer, forSeconds: number) {
  const marker = server.client();
  const monitor = await server.client().monitor();
  const seen: { at: number; command: string }[] = [];
  monitor.on('monitor', (at: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push({ at: Number(at), command: args.slice(0, 2).join(' ') });
  });
  const mark = async (name: string) => {
    await marker.echo(name);
    const find = () => seen.find(({ command }) => command.toLowerCase() === `echo ${name}`);
    return waitFor(find, { what: `mark ${name}` });
  };
  const began = await mark('began');
  const now = async () => Number((await marker.time())[0]);
  const start = await now();
  await waitFor(async () => (await now()) > start + forSeconds, {
    what: 'the window to pass',
    intervalMs: 500,
    timeoutMs: 30_000,
  });
  const ended = await mark('ended');
  monitor.disconnect();
  const commands = seen
    .filter(({ at, command }) => at > began.at && at < ended.at && !/^(time|echo)/i.test(command))
    .map(({ command }) => command);
  return { seconds: ended.at - began.at, commands };
}

function tally(commands: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const command of commands) counts[command] = (counts[command] ?? 0) + 1;
  return counts;
}
