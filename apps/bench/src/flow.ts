/** Counts what handlers handled, for whoever waits for a number of it. */
export interface Flow {
  readonly handled: () => void;
  /** Resolves when so many more were handled since the last call of this. */
  until(count: number): Promise<void>;
}

export function flow(): Flow {
  let handledCount = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let resolve: () => void = () => {};
  return {
    handled: () => {
      if (++handledCount >= wanted) resolve();
    },
    until: async (count) => {
      wanted = count;
      if (handledCount < count) {
        await new Promise<void>((done) => {
          resolve = done;
        });
      }
      handledCount -= count;
      wanted = Number.POSITIVE_INFINITY;
    },
  };
}
