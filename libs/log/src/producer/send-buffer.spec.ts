import { describe, expect, it } from '@jest/globals';
import { ClosedError, WriteError } from '@millrace/core';
import { SendBuffer } from './send-buffer.js';

const soon = () => performance.now() + 10_000;

describe('SendBuffer', () => {
  it('takes up to its limit, and one record of any size when it is empty', () => {
    const buffer = new SendBuffer(100);
    expect([buffer.take(60), buffer.take(40), buffer.take(1)]).toEqual([true, true, false]);
    buffer.release(100);
    expect(buffer.take(1000)).toBe(true);
  });

  it('lets callers in one after the other, also a small one behind a large one', async () => {
    // given
    const buffer = new SendBuffer(100);
    buffer.take(90);
    const order: string[] = [];
    const enter = (name: string, bytes: number) =>
      buffer.inTurn(async () => {
        await buffer.waitForRoom(bytes, soon());
        order.push(name);
      });
    // when
    const entering = Promise.all([enter('large', 50), enter('small', 1)]);
    expect(buffer.isFree).toBe(false);
    buffer.release(30);
    buffer.release(30);
    await entering;
    // then
    expect(order).toEqual(['large', 'small']);
    expect([buffer.bytes, buffer.isFree]).toEqual([81, true]);
  });

  it('rejects a caller that finds no room in time: nothing was written', async () => {
    const buffer = new SendBuffer(100);
    buffer.take(100);
    const waiting = buffer.inTurn(() => buffer.waitForRoom(1, performance.now() + 5));
    await expect(waiting).rejects.toThrow(WriteError);
    await expect(waiting).rejects.toMatchObject({ failure: 'timeout', mayBeWritten: false });
    expect(buffer.bytes).toBe(100);
  });

  it('rejects all waiting callers when it is closed', async () => {
    const buffer = new SendBuffer(100);
    buffer.take(100);
    const waiting = [1, 2].map(() => buffer.inTurn(() => buffer.waitForRoom(1, soon())));
    await Promise.resolve();
    buffer.close();
    for (const one of waiting) await expect(one).rejects.toThrow(ClosedError);
  });
});
