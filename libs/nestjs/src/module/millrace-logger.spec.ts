import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { MillraceLogger } from './millrace-logger.js';

describe('a line of the log', () => {
  const lines: unknown[][] = [];
  const note = (...line: unknown[]): void => void lines.push(line);
  afterEach(() => {
    lines.length = 0;
    Logger.overrideLogger(false);
  });

  it('is one, of bounded length, whatever a stranger had to say', () => {
    Logger.overrideLogger({ log: note, warn: note, error: note });
    const logger = new MillraceLogger();
    logger.warn('queue "a\nERROR: all is lost\u001b[31m\u0085\u2028"');
    logger.log('x'.repeat(10_000_000));
    expect(lines.map(([text]) => String(text))).toEqual([
      'queue "a\\nERROR: all is lost\\u001b[31m\\u0085\\u2028"',
      `${'x'.repeat(4000)}…`,
    ]);
  });

  it('has an error’s words once, and then where it came from', () => {
    Logger.overrideLogger({ log: note, warn: note, error: note });
    const error = new Error('no\nsuch thing');
    new MillraceLogger().error(error);
    new MillraceLogger().error('gave up', error.stack);
    new MillraceLogger().error('gave up');
    const frames = expect.stringMatching(/^ {4}at .*\n {4}at /);
    expect(lines.map((line) => line.slice(0, 2))).toEqual([
      ['no\\nsuch thing', frames],
      ['gave up', frames],
      ['gave up', undefined],
    ]);
    expect(String(lines[0]?.[1])).not.toContain('such thing');
  });
});
