import type { PartitionLag } from '@millrace/log';
import { startRedis, waitFor } from '@millrace/testing';
import type { Client, Stage } from '../stage.js';
import { CabMapProcess } from './cab-map-process.js';

const topic = 'gps-fixes';
const group = 'cab-map';
const partitions = 4;
const cabs = 40;
const [before, after] = [1600, 400];

export const watch =
  'two members share four partitions. One is killed -9 in the middle of its work; the offsets it had committed say where the other goes on.';

export async function play(stage: Stage): Promise<void> {
  const redis = await startRedis();
  const client = await stage.connect(redis.connection);
  await client.log.declareTopic({ name: topic, partitions });
  const [first, second] = await Promise.all([
    CabMapProcess.start('first', redis.url),
    CabMapProcess.start('second', redis.url),
  ]);
  const isShared = async (): Promise<boolean> =>
    (await ownedBy(client, first)).length === 2 && (await ownedBy(client, second)).length === 2;
  await waitFor(isShared, { what: 'each member to own two partitions', timeoutMs: 20_000 });
  stage.say(`Topic ${topic} has ${partitions} partitions; each of the two members of group ${group} owns two.`);

  await client.log.producer().sendBatch(fixes(before));
  stage.say(`${cabs} cabs sent ${before} GPS fixes.`);
  const isAtWork = async (): Promise<boolean> =>
    (await ownedBy(client, first)).every(({ committed }) => committed >= 20);
  await waitFor(isAtWork, { what: 'the first member to commit', timeoutMs: 20_000 });
  const orphaned = await killFirst(stage, client, first, second);

  const handled = (): Set<string> => new Set([...first.handled, ...second.handled]);
  await waitFor(() => handled().size === before + after, { what: 'all fixes to be handled', timeoutMs: 20_000 });
  for (const { partition, committed } of orphaned) {
    const offset = second.firstOffset(partition);
    stage.promised(`partition ${partition}: committed ${committed}, resumed at ${offset}.`, offset === committed);
  }
  const again = [...first.handled].filter((place) => second.handled.has(place)).length;
  stage.say(`${again} fixes were handled twice: done, but not committed when the member died (at least once).`);
  stage.promised(`all ${before + after} fixes were handled.`, handled().size === before + after);
}

/** Answers what the dead member has left, exactly: the other stands still until everything has been looked at. */
async function killFirst(
  stage: Stage,
  client: Client,
  first: CabMapProcess,
  second: CabMapProcess,
): Promise<PartitionLag[]> {
  const owned = new Set((await ownedBy(client, first)).map(({ partition }) => partition));
  await second.program.freeze();
  await first.program.kill();
  stage.say(`kill -9: the first member is dead, after ${first.handled.size} fixes.`);
  const isGone = async (): Promise<boolean> =>
    !String(await client.connection.commands.client('LIST')).includes('first');
  await waitFor(isGone, { what: 'Redis to close its connections' });
  const places = await client.log.groups.lag(group);
  await client.log.producer().sendBatch(fixes(after));
  second.program.thaw();
  stage.say(`The cabs go on: ${after} fixes more. The second member takes the partitions over.`);
  return places.filter(({ partition }) => owned.has(partition));
}

async function ownedBy({ log }: Client, { memberId }: CabMapProcess): Promise<PartitionLag[]> {
  return (await log.groups.lag(group)).filter(({ owner }) => owner === memberId);
}

function fixes(count: number): { topic: string; key: string; value: unknown }[] {
  return Array.from({ length: count }, (_, fix) => ({ topic, key: `cab-${fix % cabs}`, value: { fix } }));
}
