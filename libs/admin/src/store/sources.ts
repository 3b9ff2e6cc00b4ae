import { topicsKey } from '@millrace/log';
import { topologyKeys } from '@millrace/queue';
import { asText, type RedisConnection, reach } from '@millrace/redis';

/** The sources and destinations of messages under a prefix, as named in events: `topic:<name>`, `queue:<name>`, `exchange:<name>`. */
export type Sources = ReadonlySet<string>;

/**
 * Costs three commands for any number of objects. Waits up to `connectTimeoutMs` for a Redis that is away.
 *
 * @throws {UnavailableError}
 */
export function readSources(connection: RedisConnection): Promise<Sources> {
  const { prefix, connectTimeoutMs: timeoutMs } = connection.options;
  const to = { what: `read what is declared under the prefix "${prefix}"`, timeoutMs };
  return reach(connection, to, () => read(connection.commands, prefix));
}

async function read(client: RedisConnection['commands'], prefix: string): Promise<Sources> {
  const { queues, exchanges } = topologyKeys(prefix);
  const kinds = [
    ['topic', topicsKey(prefix)],
    ['queue', queues],
    ['exchange', exchanges],
  ] as const;
  const lists = await Promise.all(
    kinds.map(async ([kind, key]) => {
      const declared = await client.hvalsBuffer(key);
      return declared.flatMap((json) => nameIn(asText(json))).map((name) => `${kind}:${name}`);
    }),
  );
  return new Set(lists.flat());
}

/** A declaration whose name cannot be read is not a source; other damage is ignored here. */
function nameIn(json: string): string[] {
  try {
    const value: unknown = JSON.parse(json);
    const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
    return typeof name === 'string' ? [name] : [];
  } catch {
    return [];
  }
}

/** Whether a source is declared. The default exchange always exists. */
export function isSourceThere(sources: Sources, source: string): boolean {
  return source === 'exchange:' || sources.has(source);
}
