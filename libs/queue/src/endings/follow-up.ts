import type { Line } from '../model/line.js';
import type { QueueSettings } from '../model/queue-settings.js';
import type { LineResult } from '../store/ended.js';

/** Where a line comes from. */
export interface LineOrigin {
  /** The slot in which the message ended. */
  readonly slot: string;
  /** Its queue, as it is declared. */
  readonly settings: QueueSettings;
  /** No line with a lower number comes from the slot any more. */
  readonly floor: string;
}

/** A line on its way. */
export interface Carriage {
  /** Rejects when it is unknown whether it was carried out: then the line is tried again unchanged. */
  readonly result: Promise<LineResult>;
}

/** What follows from one kind of ending. */
export interface FollowUp {
  /**
   * Carries it out, in other slots. It may be called more than once, and by several processes simultaneously; a repetition must be
   * harmless. Resolves when it is on its way, so that the next one does not overtake it. Rejects as the result does.
   */
  carry(line: Line, origin: LineOrigin): Promise<Carriage>;
  /** It has arrived: called once per line, by the carrier that reported it to Redis first. */
  arrived(line: Line, origin: LineOrigin): void;
  /** It can go nowhere, and is parked in its own queue: called like `arrived`. */
  parked(line: Line, origin: LineOrigin): void;
}
