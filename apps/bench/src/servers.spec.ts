import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@millrace/testing';
import type { ServerKind } from './server-kind.js';
import type { AbsentServer, FoundServer } from './servers/found-server.js';
import { Servers } from './servers.js';

const named = [
  { kind: 'kafka', variable: 'KAFKA_BROKERS', address: (port: number) => `127.0.0.1:${port}` },
  { kind: 'nats', variable: 'NATS_URL', address: (port: number) => `nats://127.0.0.1:${port}` },
  { kind: 'rabbitmq', variable: 'RABBITMQ_URL', address: (port: number) => `amqp://me:secret@127.0.0.1:${port}` },
] as const satisfies readonly { kind: ServerKind; variable: string; address: (port: number) => string }[];

describe.each(named)('$kind, named by $variable', ({ kind, variable, address }) => {
  const before = process.env[variable];
  let mute: Server;
  let sockets: Socket[];

  beforeEach(async () => {
    sockets = [];
    mute = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
  });

  afterEach(() => {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  async function found(port: number): Promise<FoundServer | AbsentServer> {
    process.env[variable] = address(port);
    return (await Servers.find('everysec')).get(kind);
  }

  it('is absent when nothing listens there, in one line that gives no password away', async () => {
    const server = await found(await freePort());
    expect(server).toEqual({
      absent: expect.stringMatching(new RegExp(`^what ${variable} names does not answer: .+$`)),
    });
    expect(JSON.stringify(server)).not.toContain('secret');
  });

  it('is absent when what listens there says nothing', async () => {
    const server = await found((mute.address() as AddressInfo).port);
    expect(server).toEqual({ absent: expect.stringContaining(`what ${variable} names does not answer: `) });
  });
});

describe('durability that a server does not have', () => {
  it('keeps it out of the run', async () => {
    const none = await Servers.find('none');
    expect(none.get('kafka')).toEqual({ absent: 'it has no topics in memory' });
    const always = await Servers.find('always');
    expect(always.get('nats')).toEqual({ absent: 'the bench cannot have it sync every write' });
  });
});
