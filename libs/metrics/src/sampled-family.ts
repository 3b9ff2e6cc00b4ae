import type { Snapshot } from '@millrace/admin';
import type { GroupWindows } from './group-windows.js';
import type { Detail } from './metrics-options.js';
import type { Family, Series } from './pulled-metrics.js';

/** What the elected process has read. */
export interface Sampled {
  readonly snapshot: Snapshot;
  readonly windows: GroupWindows;
  readonly masters: number;
}

/** A metric of the whole prefix, told by the elected process alone. */
export interface SampledFamily extends Family {
  readonly type: 'gauge' | 'counter';
  read(sampled: Sampled, detail: Detail): Series[];
  /** What is reported of several series together, where there are more than `maxSeries`. Default: their sum. */
  readonly combine?: ((values: readonly number[]) => number) | undefined;
}
