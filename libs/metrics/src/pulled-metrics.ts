import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** One line of the exposition format. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The head of a metric in the exposition format. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

type Read<T> = () => T | Promise<T>;

/** A gauge that is read at each scrape. A value that is not read has no series: unknown is absent, never 0. */
export class PulledGauge extends Gauge {
  readonly #read: Read<readonly Series[]>;

  constructor(family: Family, registry: Registry, read: Read<readonly Series[]>) {
    super(configurationOf(family, registry));
    this.#read = read;
  }

  override async get(): ReturnType<Gauge['get']> {
    return { ...(await super.get()), values: [...(await this.#read())] };
  }
}

/** A counter whose count is kept elsewhere: in Redis, or where the hot path increments it without looking at labels. */
export class PulledCounter extends Counter {
  readonly #read: Read<readonly Series[]>;

  constructor(family: Family, registry: Registry, read: Read<readonly Series[]>) {
    super(configurationOf(family, registry));
    this.#read = read;
  }

  override async get(): ReturnType<Counter['get']> {
    return { ...(await super.get()), values: [...(await this.#read())] };
  }
}

/** Measured values, counted in buckets. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;
  /** The bucket of the last value: the next one mostly has the same. */
  #last = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number): void {
    this.#sum += value;
    this.#count++;
    const bounds = this.#bounds;
    let index = this.#last;
    while (index > 0 && value <= (bounds[index - 1] as number)) index--;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    if (index < bounds.length) (this.#counts[index] as number)++;
    this.#last = index;
  }

  /** Cumulative, as Prometheus expects. */
  series(name: string, labels: Series['labels']): (Series & { readonly metricName: string })[] {
    let below = 0;
    const buckets = this.#bounds.map((bound, index) => {
      below += this.#counts[index] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le: String(bound), ...labels }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: this.#count },
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: this.#count },
    ];
  }
}

/** A histogram whose distributions are kept elsewhere. */
export class PulledHistogram extends Histogram {
  readonly #read: Read<readonly { readonly labels: Series['labels']; readonly distribution: Distribution }[]>;
  readonly #family: Family;
  readonly #head: Histogram;

  constructor(
    family: Family & { readonly buckets: readonly number[] },
    registry: Registry,
    read: Read<readonly { readonly labels: Series['labels']; readonly distribution: Distribution }[]>,
  ) {
    super({ ...configurationOf(family, registry), buckets: [...family.buckets] });
    this.#read = read;
    this.#family = family;
    this.#head = new Histogram({ name: family.name, help: family.help, registers: [] });
  }

  override async get(): ReturnType<Histogram['get']> {
    const entries = await this.#read();
    const values = entries.flatMap(({ labels, distribution }) => distribution.series(this.#family.name, labels));
    return { ...(await this.#head.get()), values };
  }

  /**
   * Called by prom-client's registry for the text format; its own `get()` calls this method, so the type and help come from a histogram
   * without values.
   */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}

function configurationOf({ name, help, labelNames }: Family, registry: Registry) {
  return { name, help, labelNames: [...labelNames], registers: [registry] };
}
