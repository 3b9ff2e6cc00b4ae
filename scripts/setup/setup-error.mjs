/** Something that the user has to do: shown as one sentence, without a stack. */
export class SetupError extends Error {}
