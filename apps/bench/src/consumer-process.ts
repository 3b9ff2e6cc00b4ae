import { openQueue } from './peers.js';
import type { Place } from './place.js';

// One of several processes that consume together: tells its parent how many it handled, at most every few milliseconds.

process.once('disconnect', () => process.exit(0));
// Its parent may be gone before it listened.
if (!process.connected) process.exit(0);

const tellEveryMs = 5;
const [subject = '', place = '{}', concurrency = '1'] = process.argv.slice(2);
const queue = await openQueue(subject, JSON.parse(place) as Place);
let handled = 0;
setInterval(() => {
  if (handled === 0) return;
  process.send?.({ handled });
  handled = 0;
}, tellEveryMs);
await queue.consume(
  () => {
    handled++;
  },
  { concurrency: Number(concurrency) },
);
