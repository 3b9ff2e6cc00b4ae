import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, waitFor } from '@millrace/testing';
import type { Stage } from '../stage.js';

const inPerSecond = 60;
const outPerSecond = 15;

export const watch = `${inPerSecond} notifications come within a second, two consumers may send ${outPerSecond} a second between them: the queue grows, then drains.`;

export async function play(stage: Stage): Promise<void> {
  const redis = await startRedis();
  const { broker } = await stage.connect(redis.connection);
  await broker.declareQueue({ name: 'notifications', maxPerSecond: outPerSecond });
  const sent: number[] = [];
  const handler = (notification: unknown): void => void sent.push(Number(notification));
  for (const name of ['first', 'second']) await broker.consumer({ queue: 'notifications', name, handler }).start();

  const startedAt = performance.now();
  const timer = setInterval(async () => {
    const { ready, unacked } = await broker.queue('notifications').counts();
    stage.say(`${sent.length} sent, ${'▪'.repeat(ready + unacked)} ${ready + unacked} wait in the queue.`);
  }, 500);
  let deepest = 0;
  for (let notification = 0; notification < inPerSecond; notification++) {
    await broker.sendToQueue('notifications', notification);
    const { ready, unacked } = await broker.queue('notifications').counts();
    deepest = Math.max(deepest, ready + unacked);
    await sleep(Math.max(0, startedAt + (notification * 1000) / inPerSecond - performance.now()));
  }
  stage.say(`All ${inPerSecond} are in.`);
  await waitFor(() => sent.length >= inPerSecond, { what: 'all to be sent', timeoutMs: 30_000 });
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(timer);
  stage.say(`${sent.length} sent in ${seconds.toFixed(1)} s.`);
  stage.promised(`the queue held up to ${deepest} of them.`, deepest > 1);
  // Redis counts the time, in steps of a tenth of a second's worth at most: the first ones may come together.
  stage.promised(
    `never more than ${outPerSecond} a second, beside the first two, which come immediately.`,
    seconds >= (inPerSecond - 2) / outPerSecond - 0.2,
  );
  stage.promised(
    `all ${inPerSecond} were sent, each once.`,
    new Set(sent).size === inPerSecond && sent.length === inPerSecond,
  );
}
