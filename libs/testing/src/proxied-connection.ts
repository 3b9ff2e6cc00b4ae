import type { Socket } from 'node:net';
import { ProxyDirection } from './proxy-direction.js';
import type { ReplyCut } from './reply-cut.js';
import { isPush, RespFrames } from './resp-frames.js';

/** The current faults of a proxy; all its connections read them. */
export interface Faults {
  /** The delay in ms, each way. */
  delayMs: number;
  /** Bytes are dropped, and so is the close of a side. */
  isDropping: boolean;
  /** Armed cuts, in the order in which they were requested. */
  readonly replyCuts: Set<ReplyCut>;
}

/**
 * One client's connection through the proxy. It forwards whole commands and whole replies, and counts both: Redis replies in order, so
 * the nth reply (not counting pushes) belongs to the nth command.
 */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #redis: Socket;
  readonly #faults: Faults;
  #commandCount = 0;
  #replyCount = 0;
  #lostSomething = false;
  #isCut = false;
  #pendingCut: { readonly cut: ReplyCut; readonly reply: number } | undefined;

  constructor(client: Socket, redis: Socket, faults: Faults) {
    this.#client = client;
    this.#redis = redis;
    this.#faults = faults;
    this.#carry(client, redis, (command) => this.#onCommand(command));
    this.#carry(redis, client, (reply) => this.#onReply(reply));
  }

  /** Whether bytes were dropped: bytes after a gap would be garbage, so the connection can only be closed. */
  get lostSomething(): boolean {
    return this.#lostSomething;
  }

  /** Breaks both sides immediately, with a reset. */
  cut(): void {
    reset(this.#client);
    reset(this.#redis);
  }

  /** Forwards the values of `from` to `to`, except those that `inspect` removes. */
  #carry(from: Socket, to: Socket, inspect: (frame: Buffer) => boolean): void {
    const frames = new RespFrames();
    const direction = new ProxyDirection(from, to);
    from.setNoDelay(true);
    from.on('error', () => {}); // 'close' follows
    from.on('data', (chunk) => {
      if (this.#drops()) return;
      for (const frame of frames.push(chunk)) if (inspect(frame)) direction.send(frame, this.#faults.delayMs);
    });
    from.once('close', () => {
      this.#pendingCut?.cut.fail(new Error('the connection closed before Redis replied the command'));
      if (!this.#drops()) direction.end();
    });
  }

  #drops(): boolean {
    this.#lostSomething ||= this.#faults.isDropping;
    return this.#faults.isDropping;
  }

  #onCommand(command: Buffer): boolean {
    if (this.#pendingCut === undefined) {
      for (const cut of this.#faults.replyCuts) {
        if (!cut.claim(command)) continue;
        this.#pendingCut = { cut, reply: this.#commandCount };
        break;
      }
    }
    this.#commandCount++;
    return true;
  }

  #onReply(reply: Buffer): boolean {
    if (this.#isCut) return false;
    if (isPush(reply)) return true;
    const pending = this.#pendingCut;
    if (this.#replyCount++ !== pending?.reply) return true;
    this.#pendingCut = undefined;
    if (reply.toString('latin1', 0, 9) === '-NOSCRIPT') {
      pending.cut.giveBack();
      return true;
    }
    this.#isCut = true;
    this.#client.once('close', () => pending.cut.succeed());
    this.#redis.destroy(); // its 'close' forwards the earlier replies to the client, and then closes it too
    return false;
  }
}

/** A socket that is already closing must not be reset: Node 20 then spins without end when the process ends. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
