/**
 * Commands on classes of keys: one selector of a Redis user. Redis asks one rule for command and key together, also of each command of a
 * script, so a class of keys has no other commands than these.
 */
export interface Grant {
  /** What the commands may do with the keys: read, write, or both. Default: both. */
  readonly access?: 'read' | 'write' | undefined;
  /** Classes, each with its hash tag: `queue:settings` stands for `{queue:<name>}:settings` of all queues; `queue:` for all keys of them. */
  readonly keys: readonly string[];
  readonly commands: string;
}

/** What the user of one role may do. */
export interface RoleGrants {
  /** Commands that name no key, and those that run a script: what a script does is checked command by command. */
  readonly commands: string;
  /** Keys that its scripts declare: they need the right to read and write them, though no command has it there. */
  readonly scriptKeys: readonly string[];
  /** Whether it runs read-only scripts alone. Default false. */
  readonly isReader?: boolean | undefined;
  readonly grants: readonly Grant[];
}

/** Each class of keys of one tag. */
export function keysOf(tag: string, names: string): readonly string[] {
  return names.split(' ').map((name) => `${tag}:${name}`);
}
