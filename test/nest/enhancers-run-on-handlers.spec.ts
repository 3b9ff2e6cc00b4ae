import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ctx, LogHandler, Payload, QueueHandler, Retry } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  createParamDecorator,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Observable, tap } from 'rxjs';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send, settled } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

const seen: string[] = [];

@Injectable()
class RoleGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const role = this.reflector.get<string>('role', context.getHandler());
    seen.push(`guard ${role} ${context.getType()} ${context.getClass().name}`);
    return true;
  }
}

@Injectable()
class TraceInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    seen.push(`before ${context.switchToRpc().getData<{ amount: string }>().amount}`);
    return next.handle().pipe(tap({ error: () => seen.push('after, failed'), complete: () => seen.push('after') }));
  }
}

class AmountPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    return Number(value);
  }
}

class Refused extends Error {}

@Catch(Refused)
class RefusedFilter implements ExceptionFilter<Refused> {
  catch(error: Refused, host: ArgumentsHost): string {
    seen.push(`filter ${error.message} ${host.switchToRpc().getData<{ amount: string }>().amount}`);
    return 'settled by the filter';
  }
}

const Attempt = createParamDecorator((_data: unknown, host: ExecutionContext) => host.getArgByIndex(1).attempt);

@Injectable()
class Payments {
  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'payments' })
  @Retry({ maxRetries: 1, backoff: 0 })
  @SetMetadata('role', 'cashier')
  @UseGuards(RoleGuard)
  @UseInterceptors(TraceInterceptor)
  @UseFilters(RefusedFilter)
  pay(@Payload('amount', AmountPipe) amount: number, @Attempt() attempt: number, @Ctx() context: object): void {
    seen.push(`pay ${typeof amount} ${amount} attempt ${attempt} ${'headers' in context}`);
    if (amount < 0) throw new Refused('negative');
  }
}

describe.each(channels)('a handler of a %s', (channel) => {
  it('runs within guards, interceptors, pipes, parameter decorators and filters', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Payments],
    });
    seen.length = 0;
    // when
    await send(application, channel, { amount: '5' });
    await waitFor(() => seen.length === 4, { what: 'the first payment' });
    await send(application, channel, { amount: '-1' });
    await waitFor(() => seen.length >= 9, { what: 'the refused payment' });
    // What the filter returned settles it: there is no second attempt.
    await settled(application, channel, 'payments');
    // then
    const guard = 'guard cashier millrace Payments';
    const first = [guard, 'before 5', 'pay number 5 attempt 1 true', 'after'];
    const second = [guard, 'before -1', 'pay number -1 attempt 1 true', 'after, failed', 'filter negative -1'];
    expect(seen).toEqual([...first, ...second]);
    await application.close();
  });
});
