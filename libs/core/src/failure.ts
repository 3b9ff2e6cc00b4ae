/** An error in plain words, small enough to be kept with a dead letter. */
export interface Failure {
  /** The error's class: `TypeError`. */
  readonly name: string;
  /** At most 1,000 characters. */
  readonly message: string;
  /** At most 4,000 characters. */
  readonly stack: string;
}

const maxMessageCharacters = 1000;
const maxStackCharacters = 4000;

/** Describes anything that was thrown. Bounded: a stack that grows with every retry must never make a record too large. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof Error) {
    return {
      name: error.name,
      message: error.message.slice(0, maxMessageCharacters),
      stack: (error.stack ?? '').slice(0, maxStackCharacters),
    };
  }
  return { name: 'NonError', message: showThrown(error).slice(0, maxMessageCharacters), stack: '' };
}

function showThrown(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return String(thrown);
  }
}
