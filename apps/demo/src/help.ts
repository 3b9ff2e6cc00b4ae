import type { Scenario } from './scenario.js';

export function help(scenarios: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return [
    'npm start                          five services on one Redis, with gentle traffic and a live table',
    'npm start -- --no-traffic          the same, and nothing happens unless you do it',
    'npm start -- --scenario <name>     one thing to watch, on a Redis of its own; exit code 1 if it is not as promised:',
    '',
    ...scenarios.map(({ name, promise }) => `  ${name.padEnd(width)}  ${promise}`),
    '',
    'PORT         the port of the shop (3000); the other services take the next ones',
    'LISTEN_HOST  the address on which they listen (127.0.0.1: only this machine reaches them)',
    'REDIS_URL    the Redis of the services; without it they get one of their own, with its data in .millrace/demo',
  ].join('\n');
}
