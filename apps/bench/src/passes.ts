import { type Delivery, sumOf } from './delivery-ledger.js';
import type { Place } from './place.js';
import { geometricMean, median } from './statistics.js';

/** What a turn took, and how many messages were handled in it. */
export interface Turn {
  readonly messages: number;
  readonly ms: number;
}

/** A point that is ready to be measured. */
export interface Ground {
  /** Publishes and handles messages for at least so long. */
  turn(ms: number): Promise<Turn>;
  /** Nothing of it costs anything afterwards. Returns what became of its messages. */
  close(): Promise<Delivery>;
}

export interface Costs {
  /** µs a message at each point. */
  readonly byPoint: ReadonlyMap<number, number>;
  /** All that were measured. */
  readonly messages: number;
  /** All that were sent, measured or not. */
  readonly delivery: Delivery;
}

/** How often, and how long. */
export interface Pace {
  readonly passes: number;
  readonly warmUpMs: number;
  readonly turnMs: number;
}

// A turn holds its share of what is done now and then: heartbeats (500 ms), renewals with them, commits (100 ms).
// The dearest point divided by the cheapest is the larger the less sure each point is: hence so many passes.
const full: Pace = { passes: 8, warmUpMs: 300, turnMs: 1000 };
const quick: Pace = { passes: 2, warmUpMs: 40, turnMs: 100 };

/**
 * Measures points beside each other: several passes, up and down in turns. Before its turn a ground is warmed up, and before
 * all of them, by a pass that does not count, the process: of two points one would be measured cold, and be taken for the dearer one.
 */
export async function inPasses(
  place: Place,
  points: readonly number[],
  prepare: (point: number) => Promise<Ground>,
  { passes, warmUpMs, turnMs } = place.quick ? quick : full,
): Promise<Costs> {
  const measured = new Map<number, number[]>(points.map((point) => [point, []]));
  const deliveries: Delivery[] = [];
  let messages = 0;
  for (let pass = 0; pass <= passes; pass++) {
    const order = pass % 2 === 0 ? points : [...points].reverse();
    for (const point of order) {
      const ground = await prepare(point);
      await ground.turn(warmUpMs);
      if (pass > 0) {
        const turn = await ground.turn(turnMs);
        messages += turn.messages;
        measured.get(point)?.push((turn.ms * 1000) / turn.messages);
      }
      deliveries.push(await ground.close());
    }
  }
  return { byPoint: typicalCosts(measured), messages, delivery: sumOf(deliveries) };
}

/**
 * A machine that others use is twice as fast in one pass as in another, so a point's turn is compared with the other turns of
 * its pass, and the median of that counts: neither the cheapest turn, which shows who met the best moment, nor the median of
 * the turns, which shows how many passes were slow. Told in µs of a typical pass.
 */
function typicalCosts(measured: ReadonlyMap<number, readonly number[]>): Map<number, number> {
  const passes = Array.from({ length: [...measured.values()][0]?.length ?? 0 }, (_, pass) =>
    geometricMean([...measured.values()].map((turns) => turns[pass] ?? Number.NaN)),
  );
  const typical = median(passes);
  return new Map(
    [...measured].map(([point, turns]) => [
      point,
      typical * median(turns.map((cost, pass) => cost / (passes[pass] ?? Number.NaN))),
    ]),
  );
}
