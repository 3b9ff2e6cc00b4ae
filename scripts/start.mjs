// `npm start`: set-up, then the demo in this same process, so that signals and the exit code are the demo's own.
import { setup } from './setup.mjs';

// A scenario starts and kills its own servers: a running server is not enough.
const isScenario = process.argv.some((argument) => argument.startsWith('--scenario'));
setup([isScenario ? 'redis' : 'redis-or-url', 'packages', 'build']);
await import('../apps/demo/dist/main.js');
