/** An action that the user has to take: shown as one sentence, without a stack. */
export class SetupError extends Error {}
