import { topicsKey } from '@millrace/log';
import { topologyKeys } from '@millrace/queue';
import { asText, type RedisClient } from '@millrace/redis';

/** What messages come from and go to under a prefix, as events name it: `topic:<name>`, `queue:<name>`, `exchange:<name>`. */
export type Sources = ReadonlySet<string>;

/** Three commands, whatever is declared. */
export async function readSources(client: RedisClient, prefix: string): Promise<Sources> {
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

/** Whatever else is wrong with it: where nothing of a name can be read there is no source. */
function nameIn(json: string): string[] {
  try {
    const value: unknown = JSON.parse(json);
    const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
    return typeof name === 'string' ? [name] : [];
  } catch {
    return [];
  }
}

/** Whether a source is declared. The default exchange always is. */
export function isSourceThere(sources: Sources, source: string): boolean {
  return source === 'exchange:' || sources.has(source);
}
