import type { Snapshot } from '@millrace/admin';
import type { GroupWindows } from './group-windows.js';
import type { Detail } from './metrics-options.js';
import type { Family, Series } from './pulled-metrics.js';

/** The reading of the elected process. */
export interface Sampled {
  readonly snapshot: Snapshot;
  readonly windows: GroupWindows;
  readonly masters: number;
}

/** A metric of the whole prefix, reported by the elected process only. */
export interface SampledFamily extends Family {
  readonly type: 'gauge' | 'counter';
  read(sampled: Sampled, detail: Detail): Series[];
  /** How the values of several series are combined where there are more than `maxSeries`. Default: their sum. */
  readonly combine?: ((values: readonly number[]) => number) | undefined;
}
