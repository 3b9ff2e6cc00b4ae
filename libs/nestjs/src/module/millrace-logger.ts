import { describeFailure, isInstance, notify, unreported } from '@millrace/core';
import { Logger } from '@nestjs/common';

/** Names, ids and payloads may come from outside: they must not add lines or terminal codes. */
const maxLineCharacters = 4000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not reach a terminal
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Nest's logger for Millrace's lines: each is one line of bounded length, without terminal codes. If the application's logger throws or
 * rejects, starts and stops are not affected.
 */
export class MillraceLogger {
  readonly #logger = new Logger('Millrace');

  log(text: string): void {
    notify(() => this.#logger.log(oneLine(text)), unreported);
  }

  warn(text: string): void {
    notify(() => this.#logger.warn(oneLine(text)), unreported);
  }

  /** @param error a message, or a thrown value @param stack the error's stack: its first lines, which repeat the message, are left out */
  error(error: unknown, stack = isInstance(error, Error) ? describeFailure(error).stack : undefined): void {
    const text = typeof error === 'string' ? error : describeFailure(error).message;
    const frames = stack === undefined ? [] : framesOf(stack);
    const shown = frames.length === 0 ? [oneLine(text)] : [oneLine(text), frames.join('\n')];
    notify(() => this.#logger.error(...(shown as [string, string?])), unreported);
  }
}

function oneLine(text: string): string {
  const bounded = text.length > maxLineCharacters ? `${text.slice(0, maxLineCharacters)}…` : text;
  return bounded.replace(controls, (character) => escapes[character] ?? codeOf(character));
}

function codeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The frames of an error's stack, without the message: it is logged already, and may come from outside. */
function framesOf(stack: string): string[] {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .map(oneLine);
}
