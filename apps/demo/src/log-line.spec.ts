import { describe, expect, it } from '@jest/globals';
import { readLogLine } from './log-line.js';

describe('a line that a service printed', () => {
  it.each([
    [
      '[Nest] 2730  - 11/22/2026, 8:17:45 PM     LOG [Shop] Shop on http://localhost:3000',
      'log',
      'Shop on http://localhost:3000',
    ],
    ['[Nest] 1  - 22.11.2026, 20:17:45    WARN [Millrace] Redis is away', 'warn', 'Redis is away'],
    ['[Nest] 1  - 22.11.2026, 20:17:45   ERROR [ExceptionsHandler] no', 'error', 'no'],
    ['    at Object.<anonymous> (file.js:1:1)', 'log', '    at Object.<anonymous> (file.js:1:1)'],
    ['Notified \x1b[2Jeve', 'log', 'Notified  [2Jeve'],
  ])('%j', (line, level, text) => {
    expect(readLogLine(line)).toEqual({ level, text });
  });
});
