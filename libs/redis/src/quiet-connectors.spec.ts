import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { QuietConnector, QuietSentinelConnector } from './quiet-connectors.js';

describe('a socket that has a second error', () => {
  let server: Server;
  let port: number;
  beforeEach(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterEach(() => void server.close());

  it('does not end the process', async () => {
    const connector = new QuietConnector({ host: '127.0.0.1', port, disconnectTimeout: 10 });
    const socket = await connector.connect(() => undefined);
    socket.emit('error', new Error('the certificate is not trusted'));
    expect(() => socket.emit('error', new Error('alert decode error'))).not.toThrow();
    socket.destroy();
  });

  it('does not either where Sentinel is asked', () => {
    const connector = new QuietSentinelConnector({ sentinels: [{ host: '127.0.0.1', port }], name: 'm' });
    const ask: unknown = Reflect.get(connector, 'connectToSentinel');
    const asking = Reflect.apply(ask as () => object, connector, [{ host: '127.0.0.1', port }, { lazyConnect: true }]);
    expect(Reflect.get(asking, 'connector')).toBeInstanceOf(QuietConnector);
  });
});
