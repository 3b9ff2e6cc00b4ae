import { describeFailure, isInstance, notify, unreported } from '@millrace/core';
import { Logger } from '@nestjs/common';

/** Names, ids and payloads may be a stranger's: what they say stays in its line, and on it. */
const maxLineCharacters = 4000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Nest's logger for Millrace's own lines: each is one line of bounded length, without the codes of terminals. An application's logger that
 * throws, or rejects, ends neither a start nor a stop.
 */
export class MillraceLogger {
  readonly #logger = new Logger('Millrace');

  log(text: string): void {
    notify(() => this.#logger.log(oneLine(text)), unreported);
  }

  warn(text: string): void {
    notify(() => this.#logger.warn(oneLine(text)), unreported);
  }

  /** @param error words, or what was thrown @param stack of what was thrown: its first lines, which are its message, are left out */
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

/** The lines that say where an error came from. Its message is said already, and may be anybody's. */
function framesOf(stack: string): string[] {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .map(oneLine);
}
