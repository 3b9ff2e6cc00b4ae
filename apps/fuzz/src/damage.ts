import type { Redis } from '@millrace/redis';
import type { Draw } from './draw.js';
import type { KeyKind } from './key-kinds.js';
import { payload, score } from './payload.js';

const otherTypes = ['string', 'hash', 'list', 'zset'] as const;

/** Writes what is drawn into keys of Millrace, and takes it away again. */
export class Damage {
  readonly #redis: Redis;
  readonly #draw: Draw;
  readonly #touched = new Set<string>();

  constructor(redis: Redis, draw: Draw) {
    this.#redis = redis;
    this.#draw = draw;
  }

  /** Does one thing to a key of a kind. Resolves to what that was. */
  async write(kind: KeyKind): Promise<string> {
    const key = await this.#keyOf(kind);
    this.#touched.add(key);
    try {
      return this.#draw.happens(0.05) ? await this.#replace(key) : await this.#into(key, kind);
    } catch {
      // It is of another type by now, or was made again in between.
      await this.#redis.del(key);
      return `DEL ${key}`;
    }
  }

  /** Removes all keys that were written to: what is declared comes back by being declared, and what is lost is lost. */
  async heal(): Promise<void> {
    if (this.#touched.size > 0) await this.#redis.del(...this.#touched);
    this.#touched.clear();
  }

  async #keyOf({ key }: KeyKind): Promise<string> {
    const name = `millrace:${key}`;
    if (!key.includes('*')) return name;
    const [, found] = await this.#redis.scan(0, 'MATCH', name, 'COUNT', 1000);
    return found.length > 0 ? this.#draw.one(found.sort()) : name.replaceAll('*', 'x');
  }

  async #replace(key: string): Promise<string> {
    await this.#redis.del(key);
    const type = this.#draw.one(otherTypes);
    if (type === 'string') await this.#redis.set(key, 'another type');
    if (type === 'hash') await this.#redis.hset(key, 'another', 'type');
    if (type === 'list') await this.#redis.rpush(key, 'another type');
    if (type === 'zset') await this.#redis.zadd(key, 1, 'another type');
    return `TYPE ${key} ${type}`;
  }

  async #into(key: string, { type, content, fields, isClaim }: KeyKind): Promise<string> {
    const draw = this.#draw;
    const element = (): Buffer => payload(draw, content, undefined);
    switch (type) {
      case 'string':
        await this.#redis.set(
          key,
          payload(draw, content, (await this.#redis.getBuffer(key)) ?? undefined),
          'PX',
          60_000,
        );
        return `SET ${key}`;
      case 'hash':
        return this.#intoHash(key, { content, fields, isClaim });
      case 'list':
        await this.#redis.rpush(key, element());
        return `RPUSH ${key}`;
      case 'set':
        await this.#redis.sadd(key, element());
        return `SADD ${key}`;
      case 'zset': {
        const members = await this.#redis.zrangeBuffer(key, '0', '20');
        const member = members.length > 0 && draw.happens(0.5) ? draw.one(members) : element();
        await this.#redis.zadd(key, score(draw), member);
        return `ZADD ${key}`;
      }
      case 'stream':
        await this.#redis.xadd(
          key,
          draw.one(['*', '0-*']),
          draw.one(['b', 'r', 'x']),
          element(),
          't',
          draw.one(['1', 'abc']),
        );
        return `XADD ${key}`;
      default:
        return type satisfies never;
    }
  }

  async #intoHash(key: string, { content, fields, isClaim }: Omit<KeyKind, 'key' | 'type'>): Promise<string> {
    const draw = this.#draw;
    const known = fields ?? (await this.#redis.hkeys(key)).slice(0, 50).sort();
    const field = known.length > 0 && draw.happens(0.9) ? draw.one(known) : `f${draw.below(1000)}`;
    if (draw.happens(0.1)) {
      await this.#redis.hdel(key, field);
      return `HDEL ${key} ${field}`;
    }
    const name = /\{queue:([^}:]+)/.exec(key)?.[1] ?? field;
    const value = payload(
      draw,
      content,
      isClaim ? undefined : ((await this.#redis.hgetBuffer(key, field)) ?? undefined),
      name,
    );
    await this.#redis.hset(key, field, value);
    return `HSET ${key} ${field} ${JSON.stringify(value.toString('latin1', 0, 60))}`;
  }
}
