import { TopologyNotFoundError } from '@millrace/core';
import type { Binding } from './binding.js';
import { type ExchangeMatcher, exchangeMatcher, isDecidedByKey, type Routable } from './exchange-matcher.js';
import type { ExchangeSettings } from './exchange-settings.js';
import { assertSound, isComplete, type Topology } from './topology.js';

/** Where a message goes: each destination once, however many bindings match. */
export interface Route {
  /** Names of queues. */
  readonly queues: readonly string[];
  /** Partitioned logs. */
  readonly topics: readonly string[];
}

/** An exchange, prepared for matching. */
interface Hop {
  readonly settings: ExchangeSettings;
  readonly match: ExchangeMatcher;
}

export const nowhere: Route = Object.freeze({ queues: [], topics: [] });

/** This many routes are cached; then all are dropped, which is cheaper than choosing some. */
const maxKeptRoutes = 10_000;

/**
 * Routes messages through one topology, as RabbitMQ does: bindings between exchanges are followed (a cycle ends, since each
 * exchange is visited once), and an exchange without a matching binding passes the message to its alternate exchange.
 */
export class Router {
  readonly #topology: Topology;
  readonly #hops = new Map<string, Hop | undefined>();
  readonly #decidedByKey = new Map<string, boolean>();
  readonly #bindings = new Map<string, Binding[]>();
  readonly #kept = new Map<string, Map<string, Route>>();
  #keptCount = 0;
  /** Whether any queue is sharded. */
  readonly hasShards: boolean = false;
  /** Whether there are bindings that miss an end, left by an interrupted removal. They lead nowhere. */
  readonly hasLeftovers: boolean = false;

  constructor(topology: Topology) {
    this.#topology = topology;
    for (const { shards } of topology.queues.values()) this.hasShards ||= shards !== undefined;
    for (const binding of topology.bindings.values()) {
      if (!isComplete(topology, binding)) {
        this.hasLeftovers = true;
        continue;
      }
      const others = this.#bindings.get(binding.source);
      if (others === undefined) this.#bindings.set(binding.source, [binding]);
      else others.push(binding);
    }
  }

  /** The topology it routes by. */
  get topology(): Topology {
    return this.#topology;
  }

  /**
   * Where a message goes that is published to that exchange.
   *
   * @throws {TopologyNotFoundError} there is no such exchange
   * @throws {DamagedStateError} the exchange, or what the message reaches, is declared and its stored settings are damaged
   */
  route(exchange: string, message: Routable): Route {
    const kept = this.#kept.get(exchange)?.get(message.routingKey);
    if (kept !== undefined) return kept;
    if (exchange === '') return this.#keep(exchange, message.routingKey, this.#toQueue(message.routingKey));
    assertSound(this.#topology, 'exchange', exchange);
    if (this.#hop(exchange) === undefined) throw new TopologyNotFoundError('exchange', exchange);
    const route = this.#walk(exchange, message);
    return this.#isDecidedByKey(exchange) ? this.#keep(exchange, message.routingKey, route) : route;
  }

  /** The queues that messages published to that exchange may reach, with any properties; `''` with a routing key: that queue. */
  reachable({
    exchange,
    routingKey,
  }: {
    readonly exchange: string;
    readonly routingKey?: string | undefined;
  }): string[] {
    if (exchange === '') return routingKey === undefined ? [] : [...this.#toQueue(routingKey).queues];
    const queues = new Set<string>();
    const exchanges = new Set([exchange]);
    for (const name of exchanges) {
      const alternate = this.#topology.exchanges.get(name)?.alternateExchange;
      if (alternate !== undefined) exchanges.add(alternate);
      for (const { kind, destination } of this.#bindings.get(name) ?? []) {
        if (kind === 'queue') queues.add(destination);
        else if (kind === 'exchange') exchanges.add(destination);
      }
    }
    return [...queues];
  }

  #toQueue(name: string): Route {
    assertSound(this.#topology, 'queue', name);
    return this.#topology.queues.has(name) ? { queues: [name], topics: [] } : nowhere;
  }

  #walk(start: string, message: Routable): Route {
    const queues = new Set<string>();
    const topics = new Set<string>();
    // A Set keeps the order of insertion, and items added during the iteration are visited too.
    const exchanges = new Set([start]);
    for (const name of exchanges) {
      const hop = this.#hop(name);
      if (hop === undefined) {
        assertSound(this.#topology, 'exchange', name);
        continue;
      }
      let isMatched = false;
      hop.match(message, ({ kind, destination }) => {
        isMatched = true;
        if (kind === 'queue') queues.add(destination);
        else if (kind === 'topic') topics.add(destination);
        else exchanges.add(destination);
      });
      const { alternateExchange } = hop.settings;
      if (!isMatched && alternateExchange !== undefined) exchanges.add(alternateExchange);
    }
    if (this.#topology.damaged !== undefined) for (const name of queues) assertSound(this.#topology, 'queue', name);
    return queues.size + topics.size === 0 ? nowhere : { queues: [...queues], topics: [...topics] };
  }

  #hop(name: string): Hop | undefined {
    if (this.#hops.has(name)) return this.#hops.get(name);
    const settings = this.#topology.exchanges.get(name);
    const hop = settings && { settings, match: exchangeMatcher(settings, this.#bindings.get(name) ?? []) };
    this.#hops.set(name, hop);
    return hop;
  }

  /** Whether every exchange that a message could pass uses its routing key only. */
  #isDecidedByKey(start: string): boolean {
    const known = this.#decidedByKey.get(start);
    if (known !== undefined) return known;
    const exchanges = new Set([start]);
    let isDecided = true;
    for (const name of exchanges) {
      const settings = this.#topology.exchanges.get(name);
      if (settings === undefined) continue;
      isDecided &&= isDecidedByKey(settings);
      if (settings.alternateExchange !== undefined) exchanges.add(settings.alternateExchange);
      for (const { kind, destination } of this.#bindings.get(name) ?? []) {
        if (kind === 'exchange') exchanges.add(destination);
      }
    }
    this.#decidedByKey.set(start, isDecided);
    return isDecided;
  }

  #keep(exchange: string, routingKey: string, route: Route): Route {
    if (this.#keptCount >= maxKeptRoutes) {
      this.#kept.clear();
      this.#keptCount = 0;
    }
    let routes = this.#kept.get(exchange);
    if (routes === undefined) {
      routes = new Map();
      this.#kept.set(exchange, routes);
    }
    routes.set(routingKey, route);
    this.#keptCount++;
    return route;
  }
}
