import type { Scenario } from './scenario.js';
import { blocks } from './scenarios/blocks.js';
import { burst } from './scenarios/burst.js';
import { growth } from './scenarios/growth.js';
import { logConsume } from './scenarios/log-consume.js';
import { logKeys } from './scenarios/log-keys.js';
import { logLatency } from './scenarios/log-latency.js';
import { logMemory } from './scenarios/log-memory.js';
import { logSend } from './scenarios/log-send.js';
import { metricsCost } from './scenarios/metrics-cost.js';
import { metricsScrape } from './scenarios/metrics-scrape.js';
import { nestDispatch } from './scenarios/nest-dispatch.js';
import { queueDelayed } from './scenarios/queue-delayed.js';
import { queueLatency } from './scenarios/queue-latency.js';
import { queueMemory } from './scenarios/queue-memory.js';
import { queueProcess } from './scenarios/queue-process.js';
import { queueProcesses } from './scenarios/queue-processes.js';
import { queuePublishAwaited } from './scenarios/queue-publish-awaited.js';
import { queuePublishBulk } from './scenarios/queue-publish-bulk.js';
import { queueRetries } from './scenarios/queue-retries.js';
import { queueRtt } from './scenarios/queue-rtt.js';
import { redisCost } from './scenarios/redis-cost.js';
import { routingMatch } from './scenarios/routing-match.js';

import { takeover } from './scenarios/takeover.js';

/** Every scenario, in the order of the table. A new one is a file in `scenarios/` and a line here. */
export const scenarios: readonly Scenario[] = [
  queuePublishAwaited,
  queuePublishBulk,
  ...queueProcess,
  burst,
  queueLatency,
  queueDelayed,
  queueMemory,
  ...queueRtt,
  queueRetries,
  queueProcesses,
  takeover,
  ...logSend,
  logConsume,
  logLatency,
  logKeys,
  ...logMemory,
  ...redisCost,
  ...nestDispatch,
  ...metricsCost,
  metricsScrape,
  routingMatch,
  ...growth,
  ...blocks,
];
