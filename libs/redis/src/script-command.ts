import { Command } from './client.js';
import { encodeArgument } from './prepared-command.js';
import { keyList, type ScriptKeys } from './script-keys.js';

/** What can be given to a script as ARGV. */
export type ScriptArgument = string | number | Buffer;

/** One call of a script. */
export interface ScriptCall {
  /** Of one hash tag; those that many calls have in common may stand together. */
  readonly keys: readonly (string | ScriptKeys)[];
  /** ARGV, in order. */
  readonly args: readonly ScriptArgument[];
}

/**
 * A script's call on its way. ioredis copies the list of a command's arguments, looks at each several times and encodes one by one:
 * 16 µs for the 22 of a publish, which is 4 when those that are texts become bytes together.
 */
export class ScriptCommand extends Command {
  readonly #script: string;
  readonly #call: ScriptCall;

  /** @param script its source, or its hash, as the command `name` wants it */
  constructor(name: string, script: string, call: ScriptCall) {
    super(name, [], { replyEncoding: null });
    this.#script = script;
    this.#call = call;
  }

  /** By these a cluster's client chooses the node. */
  override getKeys(): string[] {
    return keyList(this.#call.keys);
  }

  override toWritable(): string | Buffer {
    const { keys, args } = this.#call;
    let [count, encodedKeys] = [0, ''];
    for (const key of keys) {
      count += typeof key === 'string' ? 1 : key.list.length;
      encodedKeys += typeof key === 'string' ? encodeArgument(key) : key.encoded;
    }
    let text = `*${count + args.length + 3}\r\n${encodeArgument(this.name)}${encodeArgument(this.#script)}`;
    text += encodeArgument(`${count}`) + encodedKeys;
    const parts: (string | Buffer)[] = [];
    for (const arg of args) {
      if (arg instanceof Buffer) {
        parts.push(`${text}$${arg.length}\r\n`, arg);
        text = '\r\n';
      } else text += encodeArgument(typeof arg === 'string' ? arg : `${arg}`);
    }
    return parts.length === 0 ? text : joined([...parts, text]);
  }
}

function joined(parts: readonly (string | Buffer)[]): Buffer {
  let length = 0;
  for (const part of parts) length += Buffer.byteLength(part);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) at += typeof part === 'string' ? bytes.write(part, at) : part.copy(bytes, at);
  return bytes;
}
