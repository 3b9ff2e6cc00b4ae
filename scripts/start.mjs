// `npm start`: set-up, then the demo in this same process, so that signals and the exit code are the demo's own.
import { setup } from './setup.mjs';

// A scenario starts and kills servers of its own: a server that runs somewhere will not do.
const isScenario = process.argv.some((argument) => argument.startsWith('--scenario'));
setup([isScenario ? 'redis' : 'redis-or-url', 'packages', 'build']);
await import('../apps/demo/dist/main.js');
