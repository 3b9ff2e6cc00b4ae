import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LogHandler, type MessageRequest, QueueHandler } from '@millrace/nestjs';
import { type RedisServer, startRedis, stopEverything, waitFor } from '@millrace/testing';
import { type CanActivate, type ExecutionContext, Inject, Injectable, Scope, UseGuards } from '@nestjs/common';
import { ContextIdFactory, createContextId, REQUEST } from '@nestjs/core';
import { connectionTo, startApplication } from './application.js';
import { channels, channelsModule, send } from './channels.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(stopEverything);

let instances = 0;
const seen: { instance: number; guard: number; payload: unknown; requestPayload: unknown }[] = [];

@Injectable({ scope: Scope.REQUEST })
class Request {
  readonly instance = ++instances;
  constructor(@Inject(REQUEST) readonly request: MessageRequest) {}
}

@Injectable()
class NotesRequest implements CanActivate {
  constructor(private readonly scoped: Request) {}
  canActivate(context: ExecutionContext): boolean {
    context.switchToRpc().getContext<{ guard?: number }>().guard = this.scoped.instance;
    return true;
  }
}

@Injectable()
class Orders {
  constructor(private readonly scoped: Request) {}

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'orders' })
  @UseGuards(NotesRequest)
  onOrder(payload: unknown, context: { guard?: number }): void {
    const { instance, request } = this.scoped;
    seen.push({ instance, guard: context.guard ?? 0, payload, requestPayload: request.getData() });
  }
}

let tenants = 0;
@Injectable({ scope: Scope.REQUEST, durable: true })
class Tenant {
  readonly instance = ++tenants;
  constructor(@Inject(REQUEST) readonly id: { tenant: string }) {}
}

const byTenant: string[] = [];
@Injectable()
class TenantOrders {
  constructor(private readonly tenant: Tenant) {}

  @QueueHandler({ queue: 'work' })
  @LogHandler({ topic: 'work', group: 'tenants' })
  onOrder(): void {
    byTenant.push(`${this.tenant.id.tenant} ${this.tenant.instance}`);
  }
}

describe.each(channels)('a request-scoped provider, in handlers of a %s', (channel) => {
  it('is new for each message, and the same for the handler and its enhancers', async () => {
    // given
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Orders, Request],
    });
    seen.length = 0;
    // when
    for (const n of [1, 2, 3]) await send(application, channel, { n });
    await waitFor(() => seen.length === 3, { what: 'three orders' });
    // then
    expect(new Set(seen.map(({ instance }) => instance)).size).toBe(3);
    for (const order of seen) {
      expect(order.guard).toBe(order.instance);
      expect(order.requestPayload).toEqual(order.payload);
    }
    await application.close();
  });

  it('that is durable lives as long as the application says', async () => {
    // given: one sub-tree of providers for each tenant, as the documentation of Nest has it
    const trees = new Map<string, ReturnType<typeof createContextId>>();
    ContextIdFactory.apply({
      attach(contextId, request: MessageRequest) {
        const tenant = String(request.headers.tenant);
        const tree = trees.get(tenant) ?? createContextId();
        trees.set(tenant, tree);
        return { resolve: ({ isTreeDurable }) => (isTreeDurable ? tree : contextId), payload: { tenant } };
      },
    });
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [TenantOrders, Tenant],
    });
    byTenant.length = 0;
    tenants = 0;
    // when
    for (const tenant of ['a', 'b', 'a', 'b']) {
      const count = byTenant.length;
      await send(application, channel, {}, { tenant });
      await waitFor(() => byTenant.length > count, { what: 'an order' });
    }
    // then
    expect(byTenant).toEqual(['a 1', 'b 2', 'a 1', 'b 2']);
    ContextIdFactory.apply(undefined as never);
    await application.close();
  });
});

describe('two handlers of one record', () => {
  it('share its request scope', async () => {
    // given
    const scopes: string[] = [];
    @Injectable()
    class Biller {
      constructor(private readonly scoped: Request) {}

      @LogHandler({ topic: 'work', group: 'desk' })
      onOrder(): void {
        scopes.push(`biller ${this.scoped.instance}`);
      }
    }
    @Injectable()
    class Packer {
      constructor(private readonly scoped: Request) {}

      @LogHandler({ topic: 'work', group: 'desk' })
      onOrder(): void {
        scopes.push(`packer ${this.scoped.instance}`);
      }
    }
    const application = await startApplication(connectionTo(redis), {
      imports: [channelsModule()],
      providers: [Biller, Packer, Request],
    });
    instances = 0;
    // when
    for (const n of [1, 2]) {
      await send(application, 'log', { n });
      await waitFor(() => scopes.length === 2 * n, { what: 'both handlers' });
    }
    // then
    expect(scopes).toEqual(['biller 1', 'packer 1', 'biller 2', 'packer 2']);
    await application.close();
  });
});
