import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MillraceModuleInput, remoteDetails } from '@millrace/nestjs';
import { MillraceClient, type MillraceContext, MillraceServer } from '@millrace/nestjs/transport';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { Catch, Controller, type ExceptionFilter, type INestMicroservice, UseFilters } from '@nestjs/common';
import { Client, Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  catchError,
  concat,
  finalize,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  Observable,
  of,
  take,
  throwError,
  toArray,
} from 'rxjs';
import { connectionTo } from './application.js';

let redis: RedisServer;
const ends: string[] = [];

class Known extends Error {}

const secret = 'Bearer 1234';
const httpError = Object.assign(new Error('refused'), { status: 401, config: { headers: { authorization: secret } } });

@Catch(Known)
class KnownFilter implements ExceptionFilter<Known> {
  catch(error: Known): Observable<string> {
    return of(`filtered ${error.message}`);
  }
}

@Controller()
class Maths {
  @MessagePattern({ cmd: 'sum' })
  sum(numbers: number[]): number {
    return numbers.reduce((total, n) => total + n, 0);
  }

  @MessagePattern('later')
  async later(word: string): Promise<string> {
    return word.toUpperCase();
  }

  @MessagePattern('stream')
  stream(count: number): Observable<number> {
    return of(...Array.from({ length: count }, (_, index) => index));
  }

  @MessagePattern('half')
  half(): Observable<number> {
    return concat(
      of(1, 2),
      throwError(() => new RpcException('half-way')),
    );
  }

  @MessagePattern('nothing')
  nothing(): Observable<never> {
    return new Observable((subscriber) => subscriber.complete());
  }

  @MessagePattern('endless')
  endless(): Observable<number> {
    return interval(1).pipe(finalize(() => ends.push('stream ended')));
  }

  @MessagePattern('silent')
  silent(): Observable<never> {
    ends.push('silence begun');
    return new Observable(() => () => ends.push('silence ended'));
  }

  @MessagePattern<string>('hangs')
  async hangs(@Payload() name: string, @Ctx() context: MillraceContext): Promise<void> {
    await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
    ends.push(`${name} aborted`);
  }

  @MessagePattern('fails')
  fails(kind: string): void {
    if (kind === 'rpc') throw new RpcException('sent as it is');
    if (kind === 'odd') throw new RpcException({ code: 42, message: 'odd', big: 1n });
    if (kind === 'error') throw new RpcException(Object.assign(new Error('inside'), { code: 7 }));
    if (kind === 'http') throw new RpcException(Object.assign(httpError, { [remoteDetails]: { attempt: 2 } }));
    if (kind === 'wrapped') throw new RpcException({ message: 'odd', retryable: true, cause: httpError });
    if (kind === 'known') throw new Known('and answered');
    throw new Error('a secret of the server');
  }

  @MessagePattern('wild.*')
  @UseFilters(KnownFilter)
  wild(_data: unknown): string {
    throw new Known('twice');
  }
}

describe('@MessagePattern over MillraceServer', () => {
  let service: INestMicroservice;
  let client: MillraceClient;
  let hasty: MillraceClient;
  let connection: MillraceModuleInput['connection'];
  beforeAll(async () => {
    redis = await startRedis();
    connection = connectionTo(redis).connection;
    client = new MillraceClient({ connection, timeoutMs: 25_000 });
    hasty = new MillraceClient({ connection, timeoutMs: 300 });
    const module = await Test.createTestingModule({ controllers: [Maths] }).compile();
    const strategy = new MillraceServer({ connection, queue: 'maths' });
    service = module.createNestMicroservice({ strategy, logger: false });
    await service.listen();
  });
  afterAll(async () => {
    await Promise.all([client.close(), hasty.close()]);
    await service.close();
    await stopEverything();
  });

  const ask = <T>(pattern: unknown, data: unknown): Promise<T> => lastValueFrom(client.send<T>(pattern, data));

  it('replies with values and promises', async () => {
    expect(await ask({ cmd: 'sum' }, [1, 2, 3])).toBe(6);
    expect(await ask('later', 'hello')).toBe('HELLO');
  });

  it('replies to a client that Nest made for @Client', async () => {
    @Controller()
    class Asking {
      @Client({ customClass: MillraceClient, options: { connection } })
      readonly maths!: MillraceClient;
    }
    const module = await Test.createTestingModule({ controllers: [Asking] }).compile();
    const application = await module.createNestApplication({ logger: false }).init();
    expect(await lastValueFrom(application.get(Asking).maths.send('later', 'hello'))).toBe('HELLO');
    await application.close();
  });

  it('replies to many simultaneous requests, each with its own reply', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask({ cmd: 'sum' }, [n, 1])));
    expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  });

  it('streams the values of an observable, in their order', async () => {
    expect(await lastValueFrom(client.send('stream', 50).pipe(toArray()))).toEqual(
      Array.from({ length: 50 }, (_, n) => n),
    );
    expect(await lastValueFrom(client.send('nothing', {}).pipe(toArray()))).toEqual([]);
  });

  it('brings all values of an observable that fails, then its error', async () => {
    const all = (values: Observable<unknown>): Promise<unknown[]> =>
      lastValueFrom(
        values.pipe(
          catchError((error: unknown) => of(error)),
          toArray(),
        ),
      );
    const failed = (message: string): unknown => expect.objectContaining({ message });
    expect(await all(client.send('half', {}))).toEqual([1, 2, failed('half-way')]);
    const raw = client.unwrap().broker.requestStream('nest.requests', 'half', 'raw');
    expect(await all(from(raw))).toEqual([1, 2, failed('Error: half-way')]);
  });

  it("ends the stream of a client that unsubscribes, and aborts the handler's signal", async () => {
    // when
    ends.length = 0;
    await lastValueFrom(client.send('endless', {}).pipe(take(3)));
    const asking = client.send('hangs', 'first').subscribe();
    await waitFor(() => ends.includes('stream ended'), { what: 'the end of the stream' });
    const { broker } = client.unwrap();
    await waitFor(async () => (await firstValueFrom(client.send('later', 'x'))) === 'X' && broker, {
      what: 'a reply',
    });
    asking.unsubscribe();
    // then
    await waitFor(() => ends.includes('first aborted'), { what: "the handler's signal to be aborted" });
  });

  it('ends an observable that never emits when its client unsubscribes', async () => {
    // given
    ends.length = 0;
    const asking = client.send('silent', {}).subscribe();
    await waitFor(() => ends.includes('silence begun'), { what: 'the request' });
    // when
    asking.unsubscribe();
    // then
    await waitFor(() => ends.includes('silence ended'), { what: 'the end of the observable' });
  });

  it('sends errors as Nest does', async () => {
    await expect(ask('fails', 'rpc')).rejects.toEqual({ status: 'error', message: 'sent as it is' });
    await expect(ask('fails', 'any')).rejects.toEqual({ status: 'error', message: 'Internal server error' });
    await expect(ask('fails', 'odd')).rejects.toEqual({ code: 42, message: 'odd' });
    await expect(ask('fails', 'error')).rejects.toEqual({ name: 'Error', message: 'inside', code: 7 });
    const refused = { name: 'Error', message: 'refused', status: 401 };
    await expect(ask('fails', 'http')).rejects.toEqual({ ...refused, details: { attempt: 2 } });
    await expect(ask('fails', 'wrapped')).rejects.toEqual({ message: 'odd', retryable: true, cause: refused });
    expect(await ask('wild.one', {})).toBe('filtered twice');
  });

  it('replies to requesters without Nest with bare values and errors', async () => {
    const { broker } = client.unwrap();
    expect(await broker.request('nest.requests', 'later', 'raw')).toBe('RAW');
    await expect(broker.request('nest.requests', 'unknown', 'raw')).rejects.toThrow(/unknown/);
    await expect(broker.request('nest.requests', 'fails', 'rpc')).rejects.toThrow(/^Error: sent as it is$/);
    await expect(broker.request('nest.requests', 'fails', 'odd')).rejects.toMatchObject({ remoteCode: 42 });
    await expect(broker.request('nest.requests', 'fails', 'wrapped')).rejects.toMatchObject({
      message: 'Error: odd',
      details: { message: 'odd', retryable: true, cause: { message: 'refused', status: 401 } },
    });
  });

  it('fails immediately when there is no handler, and by its timeout when no reply comes', async () => {
    await expect(ask('unknown', {})).rejects.toThrow(/unknown/);
    await expect(lastValueFrom(hasty.send('hangs', 'late'))).rejects.toThrow(/no reply within 300 ms/);
  });
});
