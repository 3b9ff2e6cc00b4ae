import type { Headers, HeaderValue } from '@millrace/core';

export const headerMatchKinds = ['all', 'any', 'all-with-x', 'any-with-x'] as const;
export type HeaderMatchKind = (typeof headerMatchKinds)[number];

/** The condition of a headers exchange's binding. */
export interface HeaderCondition {
  readonly needsAll: boolean;
  readonly wanted: readonly (readonly [name: string, value: HeaderValue])[];
}

/**
 * Reads a binding's arguments as RabbitMQ does (rabbit_exchange_type_headers): `x-match` sets the kind, default `all`;
 * arguments that start with `x-` are only compared by the `-with-x` kinds; `null` matches any value of the header.
 */
export function headerCondition(bindingArguments: Headers): HeaderCondition {
  const kind = bindingArguments['x-match'] ?? 'all';
  const comparesX = kind === 'all-with-x' || kind === 'any-with-x';
  const wanted = Object.entries(bindingArguments).filter(
    ([name]) => name !== 'x-match' && (comparesX || !name.startsWith('x-')),
  );
  return { needsAll: kind === 'all' || kind === 'all-with-x', wanted };
}

/** `all` without conditions matches every message, `any` without conditions none. Values are compared with their type: `"1"` is not `1`. */
export function headersMatch({ needsAll, wanted }: HeaderCondition, headers: Headers): boolean {
  const has = ([name, value]: readonly [string, HeaderValue]): boolean =>
    Object.hasOwn(headers, name) && (value === null || headers[name] === value);
  return needsAll ? wanted.every(has) : wanted.some(has);
}
