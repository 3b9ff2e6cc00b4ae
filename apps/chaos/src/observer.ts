import { createConnection, type Socket } from 'node:net';
import { MonitorReader } from './model/monitor-line.js';
import type { Observation } from './model/observation.js';

const redialMs = 10;

/** Watches servers through `MONITOR`, and writes down who acquired which partition and what was really committed. */
export class Observer {
  readonly observations: Observation[] = [];
  readonly #group: string;
  readonly #sockets = new Set<Socket>();
  #life = 0;
  #isStopped = false;

  constructor(group: string) {
    this.#group = group;
  }

  watch({ port }: { readonly port: number }): void {
    if (this.#isStopped) return;
    const reader = new MonitorReader(this.#group);
    const socket = createConnection(port, '127.0.0.1');
    this.#sockets.add(socket);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('error', () => {}); // 'close' follows
    socket.on('connect', () => socket.write('MONITOR\r\n'));
    socket.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const seen = reader.read(line);
        if (seen !== undefined) this.observations.push({ server: `${port}#${this.#life}`, ...seen });
      }
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      setTimeout(() => this.watch({ port }), redialMs);
    });
  }

  /** From now on servers may have lost what they did: they begin histories of their own. */
  beginNewLives(): void {
    this.#life++;
  }

  stop(): void {
    this.#isStopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}
