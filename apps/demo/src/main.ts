import { type Command, readCommand } from './command.js';
import { Demo, type DemoOptions } from './demo.js';
import { help } from './help.js';
import { LiveDisplay } from './live-display.js';
import { PlainDisplay } from './plain-display.js';
import { runScenario } from './run-scenario.js';
import { scenarios } from './scenarios.js';

process.exitCode = await run(readCommand(process.argv.slice(2), scenarios, process.env));

/** Answers the exit code. */
async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'help':
      console.log(help(scenarios));
      return 0;
    case 'wrong':
      console.error(command.problem);
      return 1;
    case 'scenario':
      return runScenario(command.scenario, console.log);
    case 'services':
      return runServices(command);
  }
}

/** Runs until a signal comes, or a service does not start. */
async function runServices(options: DemoOptions): Promise<number> {
  const { stdout } = process;
  const isLive = stdout.isTTY && process.env.TERM !== 'dumb';
  const display = isLive ? new LiveDisplay(stdout) : new PlainDisplay((text) => stdout.write(text));
  // However this process ends, the terminal is given back.
  process.once('exit', () => display.end());
  const demo = new Demo(display, options);
  const signal = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  const failure = demo.start().then(
    () => new Promise<never>(() => undefined),
    (error: unknown) => error,
  );
  const end = await Promise.race([signal, failure]);
  display.end();
  if (typeof end === 'string') display.say(`${end}: draining.`);
  else display.say(end instanceof Error ? end.message : String(end));
  await demo.end();
  return typeof end === 'string' ? 0 : 1;
}
