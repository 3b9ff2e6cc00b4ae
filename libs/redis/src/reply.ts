// Replies are untyped. Only these functions give them a type, and they check it.

/** The reply as a number; a string of digits is accepted. @throws {Error} it is something else */
export function asInteger(reply: unknown): number {
  if (typeof reply === 'number') return reply;
  const digits = reply instanceof Buffer && reply.length <= 17 ? reply.toString('latin1') : '';
  const parsed = /^-?\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(parsed)) throw unexpected('a whole number', reply);
  return parsed;
}

/** The reply as a string, decoded as UTF-8. @throws {Error} it is something else */
export function asText(reply: unknown): string {
  if (reply instanceof Buffer) return reply.toString('utf8');
  if (typeof reply === 'string') return reply;
  throw unexpected('a string', reply);
}

/** The reply as bytes. @throws {Error} it is something else */
export function asBytes(reply: unknown): Buffer {
  if (reply instanceof Buffer) return reply;
  throw unexpected('bytes', reply);
}

/** The reply as a list. @throws {Error} it is something else */
export function asList(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw unexpected('a list', reply);
}

/** Returns undefined for nil; any other reply is read by `read`. */
export function orNothing<T>(reply: unknown, read: (reply: unknown) => T): T | undefined {
  return reply === null || reply === undefined ? undefined : read(reply);
}

/** A flat list of names and values (HGETALL, XINFO) as a map. */
export function asFields(reply: unknown): Map<string, unknown> {
  const list = asList(reply);
  const fields = new Map<string, unknown>();
  for (let index = 0; index + 1 < list.length; index += 2) fields.set(asText(list[index]), list[index + 1]);
  return fields;
}

function unexpected(wanted: string, reply: unknown): TypeError {
  const found = reply instanceof Buffer ? JSON.stringify(reply.toString('utf8', 0, 100)) : typeof reply;
  return new TypeError(`Redis replied ${reply === null ? 'nil' : found} where ${wanted} was expected`);
}
