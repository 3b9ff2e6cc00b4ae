/** What it needs of a client of ioredis. */
interface StreamClient {
  callBuffer(command: string, ...args: (string | number)[]): Promise<unknown>;
  multi(): { call(command: string, ...args: (string | number | Buffer)[]): unknown; exec(): Promise<unknown> };
}

/**
 * Writes a stream again, its frames (the first field of each entry) changed: as if another process had written it. Entries keep
 * their ids, and groups their places.
 */
export async function rewriteStream(
  client: StreamClient,
  key: string,
  change: (frame: Buffer, index: number) => Buffer,
): Promise<void> {
  const entries = (await client.callBuffer('XRANGE', key, '-', '+')) as [Buffer, Buffer[]][];
  const groups = (await client.callBuffer('XINFO', 'GROUPS', key)) as Buffer[][];
  const call = client.multi();
  call.call('DEL', key);
  for (const [index, [id, [name = '', frame = Buffer.alloc(0), ...others]]] of entries.entries()) {
    call.call('XADD', key, id, name, change(frame, index), ...others);
  }
  for (const group of groups) {
    const at = (field: string): Buffer | string => group[group.findIndex((name) => String(name) === field) + 1] ?? '';
    call.call('XGROUP', 'CREATE', key, at('name'), at('last-delivered-id'));
  }
  await call.exec();
}
