import { encodeArgument } from './prepared-command.js';

/** Keys or arguments that many calls of a script have in common: encoded once, not with each call. */
export class PreparedArguments {
  /** In the order in which the script has them. */
  readonly list: readonly string[];
  /** As the protocol has them. */
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
