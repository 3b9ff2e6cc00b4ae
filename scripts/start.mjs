// `npm start`: set-up, then the demo in this same process, so that signals and the exit code are the demo's own.
import { setup } from './setup.mjs';

setup(['redis-or-url', 'packages', 'build']);
await import('../apps/demo/dist/main.js');
