import { afterEach, describe, expect, it } from '@jest/globals';
import { pause } from '@millrace/core';
import type { Reply } from '../model/reply-frame.js';
import { RpcStream } from './rpc-stream.js';

const timeoutMs = 20;
const streams: RpcStream[] = [];

function open(consumed: (count: number) => void = () => undefined): RpcStream {
  const stream = new RpcStream({
    timeoutMs,
    signal: undefined,
    timedOut: () => new Error('silence'),
    decode: ({ sequence }) => sequence,
    failure: () => new Error('failed'),
    taken: () => new Error('taken'),
    lost: () => new Error('lost'),
    consumed,
    ended: () => undefined,
  });
  streams.push(stream);
  return stream;
}

function item(sequence: number): Reply {
  return { kind: 'item', correlationId: 'c', sequence, codecId: 1, body: Buffer.alloc(0) };
}

describe('a stream of replies', () => {
  afterEach(() => Promise.all(streams.splice(0).map((stream) => stream.return())));

  it('fails when nothing comes for its timeout', async () => {
    await expect(open().next()).rejects.toThrow('silence');
  });

  it('does not count the time in which its requester leaves replies waiting', async () => {
    // given two replies that wait for longer than the timeout
    const stream = open();
    stream.reply(item(0));
    stream.reply(item(1));
    await pause(3 * timeoutMs);
    // when they are taken, and the next one comes then
    const taken = [await stream.next(), await stream.next()];
    const next = stream.next();
    stream.reply(item(2));
    // then it goes on
    expect([...taken, await next].map(({ value }) => value)).toEqual([0, 1, 2]);
  });

  it('settles every next() that waits, in their order, also when the stream is left', async () => {
    // given
    const stream = open();
    const waiting = [stream.next(), stream.next(), stream.next()];
    // when
    stream.reply(item(0));
    stream.reply(item(1));
    await waiting[1];
    await stream.return();
    // then
    expect((await Promise.all(waiting)).map(({ value }) => value)).toEqual([0, 1, undefined]);
  });

  it('informs the responder of a requester that needs long per item', async () => {
    // given
    const passed: number[] = [];
    const stream = open((count) => void passed.push(count));
    for (let sequence = 0; sequence < 3; sequence++) stream.reply(item(sequence));
    // when half of the timeout passes between two
    for (let taken = 0; taken < 3; taken++) {
      await pause(timeoutMs / 2);
      await stream.next();
    }
    // then it hears of each
    expect(passed).toEqual([1, 2, 3]);
  });
});
