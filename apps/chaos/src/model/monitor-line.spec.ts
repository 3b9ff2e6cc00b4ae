import { describe, expect, it } from '@jest/globals';
import { MonitorReader } from './monitor-line.js';

const key = 'millrace:{log:orders:3}:group:shipping';
const commit = `1.5 [0 127.0.0.1:1] "EVALSHA" "5c" "3" "${key}" "r" "m" "me 7f" "4" "120" "\\x00\\"\\\\" "shipping" "2000" "0"`;

describe('the reader of MONITOR', () => {
  it('takes a commit by what its script wrote, with the owner and epoch it was asked with', () => {
    const reader = new MonitorReader('shipping');
    expect(reader.read(commit)).toBeUndefined();
    expect(reader.read(`1.5 [0 lua] "HMGET" "${key}" "owner" "epoch" "committed"`)).toBeUndefined();
    expect(reader.read(`1.5 [0 lua] "HSET" "${key}" "committed" "120" "progress" "" "until" "9"`)).toEqual({
      kind: 'committed',
      topic: 'orders',
      partition: 3,
      owner: 'me 7f',
      epoch: 4,
      offset: 120,
      isSeek: false,
    });
  });

  it('takes an acquired lease, and leaves out released ones and other groups', () => {
    const reader = new MonitorReader('shipping');
    expect(reader.read(`1.5 [0 lua] "HSET" "${key}" "owner" "me 7f" "epoch" "5" "until" "9"`)).toMatchObject({
      kind: 'acquired',
      owner: 'me 7f',
      epoch: 5,
    });
    expect(reader.read(`1.5 [0 lua] "HSET" "${key}" "owner" "" "until" "0"`)).toBeUndefined();
    expect(reader.read(`1.5 [0 lua] "HSET" "${key}s" "owner" "me" "epoch" "5"`)).toBeUndefined();
  });

  it('gives names as they are, which keys have escaped', () => {
    const reader = new MonitorReader('a:b');
    const line = '1.5 [0 lua] "HSET" "millrace:{log:queued%20weather:3}:group:a%3Ab" "owner" "me 7f" "epoch" "5"';
    expect(reader.read(line)).toMatchObject({ kind: 'acquired', topic: 'queued weather', partition: 3 });
  });
});
