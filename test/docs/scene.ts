import type { Desk } from './desk.js';

/** How a block of a page is run, and what must come of it. */
export interface Scene {
  /** What a reader has done before. */
  before?(desk: Desk): Promise<unknown>;
  /** What happens where the block says `// …`. */
  meanwhile?(desk: Desk): Promise<unknown>;
  /** What must be so when the block is through. `of` returns what the block declares under a name. */
  check(desk: Desk, of: <T>(name: string) => T): Promise<unknown>;
}

/** `docs/topics.md#2`: the second block of that page. */
export type Scenes = Readonly<Record<string, Scene>>;
