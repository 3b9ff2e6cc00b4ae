import {
  boolean,
  type OptionReaders,
  OptionsError,
  oneOf,
  optional,
  required,
  resolveOptions,
  text,
} from '@millrace/core';
import { objectName } from './queue-settings.js';

export const exchangeTypes = ['direct', 'fanout', 'topic', 'headers', 'consistent-hash'] as const;
/** `direct`: equal keys. `fanout`: all. `topic`: patterns. `headers`: arguments. `consistent-hash`: by weight, one. */
export type ExchangeType = (typeof exchangeTypes)[number];

/** An exchange as it is declared. The default exchange `''` always exists and is not declared. */
export interface ExchangeSettings {
  /** At most 255 bytes. */
  readonly name: string;
  /** How it matches its bindings. */
  readonly type: ExchangeType;
  /** Where a message goes that matches no binding of this exchange. It counts as routed then. Default: none. */
  readonly alternateExchange?: string | undefined;
  /** Only other exchanges may send to it. Default false. */
  readonly internal: boolean;
  /** Is deleted with its last binding; not if it never had one. Default false. */
  readonly autoDelete: boolean;
  /**
   * What a consistent-hash exchange hashes: `routing-key` (default), `message-id`, `correlation-id`, or `header:<name>`.
   * For a consistent-hash exchange the binding's key is its weight, a whole number from 1.
   */
  readonly hashOn?: string | undefined;
}

/** An exchange as users write it: name, type, and what differs from the defaults. */
export type ExchangeDeclaration = Pick<ExchangeSettings, 'name' | 'type'> & Partial<ExchangeSettings>;

/** An exchange's settings as stored, with defaults. @throws {OptionsError} with every problem */
export function resolveExchange(declaration: ExchangeDeclaration): ExchangeSettings {
  const subject = `exchange ${JSON.stringify(declaration?.name)}`;
  if (declaration?.name === '') {
    throw new OptionsError(subject, ['the default exchange "" always exists and cannot be declared']);
  }
  const settings = resolveOptions<ExchangeSettings>(subject, exchangeReaders, declaration);
  const problems = hashProblems(settings);
  if (problems.length > 0) throw new OptionsError(subject, problems);
  return settings;
}

/** What is wrong with `hashOn`. */
export function hashProblems({ hashOn, type }: ExchangeSettings): string[] {
  const problems: string[] = [];
  if (hashOn !== undefined && type !== 'consistent-hash')
    problems.push('hashOn is only allowed with type consistent-hash');
  if (hashOn !== undefined && !/^(routing-key|message-id|correlation-id|header:.+)$/.test(hashOn)) {
    problems.push('hashOn must be routing-key, message-id, correlation-id or header:<name>');
  }
  return problems;
}

export const exchangeReaders: OptionReaders<ExchangeSettings> = {
  name: objectName('exchange'),
  type: required((value, report, path) => oneOf(exchangeTypes, 'direct')(value, report, path)),
  alternateExchange: optional(objectName('exchange')),
  internal: boolean(false),
  autoDelete: boolean(false),
  hashOn: optional(text('routing-key')),
};
