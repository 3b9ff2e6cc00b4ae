// Starts servers, prints what must be gone when this process is gone, and then does what its argument says.
import { dirname } from 'node:path';
import { spawnProgram, startRedis, startReplicated } from '@millrace/testing';

const [ending, kept] = process.argv.slice(2);
const frozen = await startRedis();
const { servers } = await startReplicated({ aof: 'always' });
const inKeptFolder = await startRedis({ dir: kept, aof: 'always' });
const program = await spawnProgram(new URL('./waits.mjs', import.meta.url).pathname);
await program.waitForLine('waiting');
await frozen.freeze();

const all = [frozen, inKeptFolder, ...servers];
console.log(
  JSON.stringify({
    pids: [program.pid, ...all.map(({ pid }) => pid)],
    folder: dirname(dirname(frozen.dir)),
  }),
);
if (ending === 'throw') throw new Error('thrown on purpose');
if (ending === 'exit') process.exit(0);
if (ending === 'stop') await Promise.all([program, ...all].map((thing) => thing.stop()));
