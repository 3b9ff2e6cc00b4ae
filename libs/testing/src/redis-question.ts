import { createConnection } from 'node:net';
import { RespFrames } from './resp-frames.js';

/**
 * Sends one command to a server on 127.0.0.1 over a new connection and returns the raw reply. For the launcher's own checks, which do not
 * depend on any client.
 *
 * @throws {Error} no server listens there, no reply came within `timeoutMs`, or the reply is an error
 */
export function askRedis(
  server: { port: number; password?: string | undefined },
  command: readonly string[],
  timeoutMs = 5_000,
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
      const text = reply.toString();
      if (text.startsWith('-')) fail(new Error(`port ${server.port}: ${command.join(' ')}: ${text.slice(1).trim()}`));
      else resolve(text);
      socket.destroy();
    });
    socket.write(commands.map(encode).join(''));
  });
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
