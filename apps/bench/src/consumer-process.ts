import type { ConsumerNews, ConsumerPlan } from './consumer-fork.js';
import { DeliveryLedger } from './delivery-ledger.js';
import { openQueue } from './peers.js';

// A consumer in a process of its own: tells its parent how many deliveries it had, at most every few milliseconds, and on request which.

process.once('disconnect', () => process.exit(0));
// Its parent may be gone before it listened.
if (!process.connected) process.exit(0);

const tellEveryMs = 5;
const { subject, place, concurrency, neverEnds } = JSON.parse(process.argv[2] ?? '{}') as ConsumerPlan;
const queue = await openQueue(subject, place);
const ledger = new DeliveryLedger();
let handled = 0;
const tell = (news: ConsumerNews): void => void process.send?.(news);

process.on('message', () => tell({ pages: ledger.pages() }));
setInterval(() => {
  if (handled > 0) tell({ handled });
  handled = 0;
}, tellEveryMs);
await queue.consume(
  ({ id }) => {
    ledger.note(id);
    handled++;
    return neverEnds ? new Promise<void>(() => {}) : undefined;
  },
  { concurrency },
);
