import type { Stage } from './stage.js';

/** One thing to watch on real servers, and what is promised of it. */
export interface Scenario {
  readonly name: string;
  /** In one line. */
  readonly promise: string;
  /** Its program, which is loaded when it is played. */
  load(): Promise<Play>;
}

export interface Play {
  /** What to look at while it runs. */
  readonly watch: string;
  play(stage: Stage): Promise<void>;
}
