import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisServer, startRedis } from '@millrace/testing';
import { Redis } from 'ioredis';
import { longestCommand } from './longest-command.js';
import type { Place } from './place.js';
import { RedisCpu } from './redis-cpu.js';

let server: RedisServer;
let client: Redis;
let place: Place;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
  place = { durability: 'none', quick: true, round: 0, warmUpMs: 0, windowMs: 0, redisUrl: server.url };
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});

const busy = (loops: number) => `for i = 1, ${loops} do end return redis.call('EXISTS', KEYS[1])`;

describe('the longest command', () => {
  it('is found among thousands, with its first key', async () => {
    // given: more commands than the server keeps entries
    const short = () => Promise.all(Array.from({ length: 12_000 }, () => client.get('k')));
    // when
    const { ms, command } = await longestCommand(place, async () => {
      await short();
      await client.eval(busy(30_000_000), 1, 'some-key');
      await short();
    });
    // then
    expect(command).toBe('EVAL (whole) some-key');
    expect(ms).toBeGreaterThan(1);
  });

  it('is of that time alone', async () => {
    await client.eval(busy(3_000_000), 1, 'before');
    const { command } = await longestCommand(place, () => client.eval(busy(100_000), 1, 'meanwhile'));
    expect(command).toBe('EVAL (whole) meanwhile');
  });

  it('is none of those that look for it', async () => {
    // given: so many entries that reading them takes longer than any of them
    const entries = () => Promise.all(Array.from({ length: 6_000 }, () => client.eval(busy(2_000), 1, 'k')));
    // then
    expect((await longestCommand(place, entries)).command).toMatch(/^EVAL/);
  });

  it('is none when nothing took long', async () => {
    const nothing = { ms: 0.02, command: 'none took more than 20 µs' };
    expect(await longestCommand(place, async () => {})).toEqual(nothing);
  });

  it('fails as what is watched fails', async () => {
    await expect(longestCommand(place, () => client.call('NO-SUCH-COMMAND'))).rejects.toThrow('unknown command');
  });
});

it('the processor time of Redis grows with what it does', async () => {
  const cpu = new RedisCpu(place);
  const before = await cpu.usedUs();
  await client.eval(busy(10_000_000), 1, 'key');
  const between = await cpu.usedUs();
  expect(between - before).toBeGreaterThan(10_000);
  expect((await cpu.usedUs()) - between).toBeLessThan(between - before);
  cpu.close();
});
