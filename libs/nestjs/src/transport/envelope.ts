import type { Envelope } from './transport-options.js';

/** The data that was sent, independent of its envelope. */
export interface Packet {
  readonly pattern: string;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The packet that was read, and whether it came without an envelope. */
export type ReadPacket = Packet & { readonly isRaw: boolean };

/** The body that is published for a packet. */
export function wrap({ pattern, data, metadata }: Packet, envelope: Envelope): unknown {
  if (envelope === 'raw') return data;
  return Object.keys(metadata).length === 0 ? { pattern, data } : { pattern, data, metadata };
}

/** Reads a published body. `auto`: an object with `pattern` or `data` is an envelope, as Nest's own transports see it. */
export function unwrap(body: unknown, routingKey: string, envelope: Envelope | 'auto'): ReadPacket {
  const raw = { pattern: routingKey, data: body, metadata: {}, isRaw: true };
  if (envelope === 'raw' || !isObject(body)) return raw;
  if (envelope === 'auto' && body.pattern === undefined && body.data === undefined) return raw;
  const metadata = isObject(body.metadata) ? (body.metadata as Readonly<Record<string, string>>) : {};
  return { pattern: routingKey, data: body.data, metadata, isRaw: false };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
