import { inspect } from 'node:util';
import { afterAll, beforeAll } from '@jest/globals';
import { MillraceError } from '@millrace/core';
import { RedisConnection } from '@millrace/redis';
import { type RedisServer, startRedis, stopEverything } from '@millrace/testing';
import fc from 'fast-check';

/** A server and a connection to it, for the tests of one `describe`: opened before the first and closed after the last. */
export function serverOfBlock(): { readonly server: RedisServer; readonly connection: RedisConnection } {
  let server: RedisServer;
  let connection: RedisConnection;
  beforeAll(async () => {
    server = await startRedis();
    connection = await new RedisConnection(server.connection).open();
  });
  afterAll(async () => {
    connection.close();
    await stopEverything();
  });
  return {
    get server() {
      return server;
    },
    get connection() {
      return connection;
    },
  };
}

/** JSON that another program may have written: our fields with anything in them, `__proto__`, depth, and no JSON at all. */
export function hostileJson(fields: readonly string[]): fc.Arbitrary<string> {
  const value = fc.jsonValue();
  const ours = fc.dictionary(fc.constantFrom(...fields, '__proto__', 'constructor'), value);
  const polluting = fc.constantFrom('{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}');
  const deep = fc.integer({ min: 1, max: 5000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
  return fc.oneof(
    ours.map((object) => JSON.stringify(object)),
    value.map((any) => JSON.stringify(any)),
    polluting,
    deep,
    fc.string({ unit: 'binary' }),
  );
}

/** Bytes beside a good frame: cut short, with bytes changed, or none of ours at all. */
export function hostileBytes(good: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const changed = fc
    .tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([frame, changes]) => {
      const copy = Buffer.from(frame);
      for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
      return copy;
    });
  const cut = fc.tuple(good, fc.nat()).map(([frame, at]) => frame.subarray(0, at % (frame.length + 1)));
  const lengthened = fc.tuple(good, fc.uint8Array()).map(([frame, more]) => Buffer.concat([frame, more]));
  return fc.oneof(
    changed,
    cut,
    lengthened,
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
}

/** The result, or undefined for a clear error of ours; anything else thrown fails the test, and so does a polluted prototype. */
export function readsOrSays<T>(read: () => T): T | undefined {
  try {
    const result = read();
    if ('polluted' in {}) throw new TypeError('the prototype of all objects was polluted');
    return result;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw new Error(`it threw ${inspect(error)}`, { cause: error });
    return undefined;
  }
}
