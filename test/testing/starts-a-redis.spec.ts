import { afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, stopEverything, waitFor } from '@millrace/testing';

describe('startRedis', () => {
  afterAll(stopEverything);

  it('gives a server that answers', async () => {
    const server = await startRedis({ aof: 'always' });
    const client = server.client();
    await client.set('a', '1');
    await server.restart();
    expect(await client.get('a')).toBe('1');
    await server.kill();
    await server.restart();
    expect(await client.get('a')).toBe('1');
    await server.restart({ keepData: false });
    expect(await client.get('a')).toBeNull();
    await server.freeze();
    const pending = client.set('a', '2');
    server.thaw();
    await pending;
    await waitFor(() => client.get('a'), { what: 'a' });
  });
});
