import { createConnection } from 'node:net';
import { RespFrames } from './resp-frames.js';

/**
 * Asks a server on 127.0.0.1 one command over a connection of its own and returns the raw reply. For what comes
 * before a client makes sense: is it up, and is it the one that was started?
 *
 * @throws {Error} when nothing listens there, or no reply came within `timeoutMs`
 */
export function askRedis(
  server: { port: number; password?: string | undefined },
  command: readonly string[],
  timeoutMs = 1_000,
): Promise<string> {
  const commands = server.password === undefined ? [command] : [['AUTH', server.password], command];
  return new Promise((resolve, reject) => {
    const socket = createConnection(server.port, '127.0.0.1');
    const frames = new RespFrames();
    const replies: Buffer[] = [];
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`port ${server.port} gave no reply within ${timeoutMs} ms`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error(`port ${server.port} closed the connection without a reply`)));
    socket.on('data', (chunk) => {
      replies.push(...frames.push(chunk));
      const reply = replies[commands.length - 1];
      if (reply === undefined) return;
      resolve(reply.toString());
      socket.destroy();
    });
    socket.write(commands.map(encode).join(''));
  });
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
