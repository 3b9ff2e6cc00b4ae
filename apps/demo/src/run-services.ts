import { Demo, type DemoOptions } from './demo.js';
import { LiveDisplay } from './live-display.js';
import { PlainDisplay } from './plain-display.js';

/** Runs until a signal comes, or a service does not start; returns the exit code. A second signal ends it immediately. */
export async function runServices(options: DemoOptions): Promise<number> {
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
