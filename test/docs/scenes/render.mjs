import { parentPort, workerData } from 'node:worker_threads';

/** What a page calls `./render.js`: it reports half of its work, then the result. */
parentPort.postMessage({ percent: 50 });
parentPort.postMessage({ result: { rendered: workerData } });
