import type { Line } from '../model/line.js';
import type { QueueSettings } from '../model/queue-settings.js';
import type { LineResult } from '../store/ended.js';

/** Where a line comes from. */
export interface LineOrigin {
  /** The slot in which the message ended. */
  readonly slot: string;
  /** Its queue, as it is declared. */
  readonly settings: QueueSettings;
  /** The lowest number of a line that the slot has. */
  readonly floor: string;
}

/** What follows from one kind of ending. */
export interface FollowUp {
  /**
   * Does it, in other slots. It may be done more than once, and by several processes simultaneously: nothing may come of that. Rejects when
   * it cannot be known whether it was done: then the line is tried again as it is.
   */
  carry(line: Line, origin: LineOrigin): Promise<LineResult>;
  /** It has arrived: called once per line, by the carrier whose word Redis heard first. */
  arrived(line: Line, origin: LineOrigin): void;
}
