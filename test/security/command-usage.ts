import { createHash } from 'node:crypto';
import type { Redis } from '@millrace/redis';

/**
 * Which commands each connection used, by the name the connection gave itself, scripts' own commands included. Of a
 * script that was run, every command that its text has counts: no run takes every branch.
 */
export class CommandUsage {
  readonly #used = new Map<string, Set<string>>();
  readonly #names = new Map<string, string>();
  readonly #scripts = new Map<string, readonly string[]>();
  readonly #commands: ReadonlyMap<string, boolean>;

  #monitor: Redis | undefined;

  /** @param commands every command of the server, and whether it has subcommands */
  private constructor(commands: ReadonlyMap<string, boolean>) {
    this.#commands = commands;
  }

  /** Looks over the shoulder of a server, from now on. */
  static async start(admin: Redis): Promise<CommandUsage> {
    const names = (await admin.call('COMMAND', 'LIST')) as string[];
    const plain = names.filter((name) => !name.includes('|'));
    const containers = new Set(names.filter((name) => name.includes('|')).map((name) => name.split('|')[0]));
    for (const container of ['client', 'xgroup', 'xinfo', 'cluster', 'config', 'script']) containers.add(container);
    const usage = new CommandUsage(new Map(plain.map((name) => [name.toLowerCase(), containers.has(name)])));
    usage.#monitor = await admin.monitor();
    usage.#monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua') usage.#saw(source, args);
    });
    return usage;
  }

  stop(): void {
    this.#monitor?.disconnect();
  }

  of(connectionName: string): Set<string> {
    return this.#used.get(connectionName) ?? new Set();
  }

  #saw(source: string, args: readonly string[]): void {
    const [command = '', second = '', third = ''] = args;
    const name = command.toLowerCase();
    if (name === 'client' && second.toLowerCase() === 'setname') this.#names.set(source, third.split(':')[0] ?? '');
    const connection = this.#names.get(source);
    if (connection === undefined) return;
    const used = this.#used.get(connection) ?? new Set();
    this.#used.set(connection, used);
    used.add(this.#commands.get(name) === true ? `${name}|${second.toLowerCase()}` : name);
    for (const inner of this.#scriptCommands(name, second)) used.add(inner);
  }

  #scriptCommands(name: string, script: string): readonly string[] {
    if (name === 'eval' || name === 'eval_ro') {
      const source = unescaped(script);
      const found = this.#commandsIn(source);
      this.#scripts.set(createHash('sha1').update(source).digest('hex'), found);
      return found;
    }
    return name === 'evalsha' || name === 'evalsha_ro' ? (this.#scripts.get(script) ?? []) : [];
  }

  /** Texts in capitals that are commands; of one with subcommands, the text that follows. */
  #commandsIn(source: string): string[] {
    return [...source.matchAll(/'([A-Z]+)'(?:, *'([A-Z]+)')?/g)].flatMap(([, first = '', second = '']) => {
      const hasSubcommands = this.#commands.get(first.toLowerCase());
      const inner = this.#commands.has(second.toLowerCase()) ? [second.toLowerCase()] : [];
      if (hasSubcommands === undefined) return inner;
      return hasSubcommands ? [`${first}|${second}`.toLowerCase()] : [first.toLowerCase(), ...inner];
    });
  }
}

/** MONITOR writes what does not print as C does. */
function unescaped(text: string): string {
  return text.replace(/\\(n|r|t|\\|")/g, (_, what: string) => ({ n: '\n', r: '\r', t: '\t' })[what] ?? what);
}
