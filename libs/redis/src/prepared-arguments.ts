import { encodeArgument } from './prepared-command.js';

/** Keys or arguments that many calls of a script share: encoded once, not per call. */
export class PreparedArguments {
  /** In the order that the script expects. */
  readonly list: readonly string[];
  /** Encoded as in the Redis protocol. */
  readonly encoded: string;

  constructor(list: readonly (string | number)[]) {
    this.list = list.map(String);
    this.encoded = this.list.map(encodeArgument).join('');
  }
}

/** Keys of a call, one by one. */
export function keyList(keys: readonly (string | PreparedArguments)[]): string[] {
  return keys.flatMap((key) => (typeof key === 'string' ? key : key.list));
}
