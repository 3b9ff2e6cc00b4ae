import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { format } from 'node:util';
import { Log, type Producer } from '@millrace/log';
import { MillraceModule, type MillraceModuleInput } from '@millrace/nestjs';
import { Broker } from '@millrace/queue';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, waitFor } from '@millrace/testing';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { readersOwn } from './given-at-run.js';

interface Closing {
  stop?(): Promise<unknown>;
  close?(): unknown;
}

let desks = 0;

/** Where a reader types a block of a page in: on Redis under a prefix of its own, with all that `given.ts` names. */
export class Desk {
  readonly url: string;
  readonly prefix = `page-${++desks}`;
  readonly connection: RedisConnection;
  readonly log: Log;
  readonly broker: Broker;
  readonly producer: Producer;
  /** What was printed. */
  readonly printed: string[] = [];
  /** What the reader's own functions were called with: `['insert', rows]`. */
  readonly calls: unknown[][] = [];
  /** The address of what was served last. */
  served: string | undefined;
  readonly #toClose: Closing[] = [];
  readonly #addresses: [string, string][];
  readonly #consumers: { start(): Promise<void> }[] = [];

  constructor(server: RedisServer) {
    this.url = server.url;
    this.#addresses = [['redis://localhost:6379', server.url]];
    this.connection = new RedisConnection({ url: server.url, prefix: this.prefix });
    this.log = this.#remembering(new Log(this.connection));
    this.broker = this.#remembering(new Broker(this.connection));
    this.producer = this.log.producer();
  }

  async open(): Promise<void> {
    await this.connection.open();
    const { connection, log, broker, producer, url } = this;
    Object.assign(globalThis, readersOwn(this), { connection, log, broker, producer, url });
    globalThis.console.log = (...words: unknown[]) => void this.printed.push(format(...words));
  }

  /** From now on `real` stands where a page has the address `shown`. */
  replaces(shown: string, real: string): void {
    this.#addresses.push([shown, real]);
  }

  /** Code as it would be typed in here: with addresses that are there. */
  typed(code: string): string {
    return this.#addresses.reduce((text, [shown, real]) => text.replaceAll(shown, real), code);
  }

  /** Starts the consumers that the block has made and not started. */
  async startConsumers(): Promise<void> {
    for (const consumer of this.#consumers) await consumer.start();
  }

  /** An application of the block's parts, with Millrace on this desk. */
  async application(metadata: ModuleMetadata, options: Partial<MillraceModuleInput> = {}): Promise<INestApplication> {
    const connection = { url: this.url, prefix: this.prefix };
    const imports = [MillraceModule.forRoot({ connection, logging: false, ...options }), ...(metadata.imports ?? [])];
    return this.start(class Page {}, { ...metadata, imports });
  }

  /** An application of a module that brings Millrace itself. */
  async start(module: new () => object, metadata: ModuleMetadata = {}): Promise<INestApplication> {
    const application = await NestFactory.create({ module, ...metadata }, { logger: false });
    this.closes(application);
    return application.init();
  }

  /** Serves HTTP on a free port until the desk is closed. Returns the address, which is also `served` then. */
  async serve(handler: RequestListener): Promise<string> {
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.closes({
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    });
    this.served = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this.served;
  }

  /** Waits until a line with `text` is printed. */
  async prints(text: string): Promise<void> {
    await waitFor(() => this.printed.some((line) => line.includes(text)), { what: `"${text}" in: ${this.printed}` });
  }

  /** Waits until a function of the reader's was called, and returns its arguments. */
  async called(name: string): Promise<unknown[]> {
    return waitFor(() => this.calls.find(([one]) => one === name)?.slice(1), { what: `a call of ${name}` });
  }

  closes(closing: Closing): void {
    this.#toClose.unshift(closing);
  }

  async close(): Promise<void> {
    for (const one of this.#toClose) await (one.stop?.() ?? one.close?.());
    await this.log.close();
    await this.broker.close();
    this.connection.close();
  }

  #remembering<T extends Log | Broker>(half: T): T {
    const make = half.consumer.bind(half) as (options: never) => Closing & { start(): Promise<void> };
    const consumer = (options: never) => {
      const made = make(options);
      this.closes(made);
      this.#consumers.push(made);
      return made;
    };
    return Object.assign(half, { consumer });
  }
}
