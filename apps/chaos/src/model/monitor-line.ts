import { escapeName, unescapeName } from '@millrace/core';
import type { Observation } from './observation.js';

/** `{log:<topic>:<partition>}:group:<group>` after a prefix, with escaped names. */
const groupKey = /\{log:([^:]+):(\d+)\}:group:([^:]+)$/;

/**
 * Reads what `MONITOR` prints. A script's own line comes first, then what it really did, each line marked `lua`: so a
 * commit counts when its script wrote the offset, not when a process asked for it.
 */
export class MonitorReader {
  readonly #group: string;
  /** The arguments of the script whose effects come next. */
  #script: readonly string[] = [];

  constructor(group: string) {
    this.#group = group;
  }

  /** What this line says about the ownership of a partition, if anything. */
  read(
    line: string,
  ):
    | Omit<Observation & { kind: 'committed' }, 'server'>
    | Omit<Observation & { kind: 'acquired' }, 'server'>
    | undefined {
    if (!line.includes(`:group:${escapeName(this.#group)}"`)) return undefined;
    const words = wordsOf(line);
    if (!line.includes(' lua] "')) {
      this.#script = words;
      return undefined;
    }
    const [command = '', key = '', field, value = ''] = words;
    const place = groupKey.exec(key);
    if (place === null || unescapeName(place[3] ?? '') !== this.#group || command.toUpperCase() !== 'HSET')
      return undefined;
    const partition = { topic: unescapeName(place[1] ?? '') ?? '', partition: Number(place[2]) };
    if (field === 'owner' && words[4] === 'epoch') {
      return { kind: 'acquired', ...partition, owner: value, epoch: Number(words[5]) };
    }
    if (field !== 'committed') return undefined;
    const [owner = '', epoch, , , , , seek] = argumentsOf(this.#script);
    return {
      kind: 'committed',
      ...partition,
      owner,
      epoch: Number(epoch),
      offset: Number(value),
      isSeek: seek === '1',
    };
  }
}

/** `EVALSHA <sha> <number of keys> <keys> <arguments>` */
function argumentsOf(script: readonly string[]): readonly string[] {
  return script.slice(3 + Number(script[2] ?? 0));
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word]) => word ?? '');
}
