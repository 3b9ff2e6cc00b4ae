/** A header's value. Comparison is type-strict, as in AMQP: `"1"` is not `1`. */
export type HeaderValue = string | number | boolean | null;

/** Facts about a message beside its payload. Names that start with `millrace-` are reserved. */
export type Headers = Readonly<Record<string, HeaderValue>>;

/** Headers that only Millrace writes start so. */
export const reservedHeaderPrefix = 'millrace-';

/** The first header name in `headers` that users may not set, or undefined. */
export function reservedHeader(headers: Headers): string | undefined {
  for (const name in headers) if (name.startsWith(reservedHeaderPrefix)) return name;
  return undefined;
}
