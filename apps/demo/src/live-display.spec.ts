import { describe, expect, it } from '@jest/globals';
import { LiveDisplay } from './live-display.js';

const nothing = { topics: [], queues: [], deadLetters: [] };

const moves = new RegExp(`${String.fromCharCode(27)}\\[[?\\d]*[a-zA-Z]`, 'g');

/** What a terminal of this size was given, without what only moves and clears. */
function open(columns: number, rows: number) {
  const written: string[] = [];
  const display = new LiveDisplay({ columns, rows, write: (text) => written.push(text) });
  const seen = (): string[] => (written.at(-1) ?? '').replace(moves, '').split('\r\n');
  return { display, written, seen };
}

describe('the live table', () => {
  it('shows what the demo says, the table, and the latest lines below, as many as there is room for', () => {
    const { display, seen } = open(60, 12);
    display.say('Ready.');
    for (let line = 1; line <= 300; line++) display.log('shop', { level: 'log', text: `line ${line}` });
    display.show(nothing);
    expect(seen()).toEqual([
      'Ready.',
      '',
      'TOPIC  partitions  records  in/s  GROUP  members  lag  behi…',
      '',
      'QUEUE  waiting  in hand  delayed  oldest  consumers  out/s',
      '',
      'DEAD LETTERS  none',
      '',
      'LATEST',
      ...[298, 299, 300].map((line) => `shop           line ${line}`),
    ]);
  });

  it('says that it is old while Redis is away', () => {
    const { display, seen } = open(60, 20);
    display.show(nothing);
    display.show(undefined);
    expect(seen().slice(0, 4)).toEqual(['', 'REDIS IS AWAY: this is how it was.', '', expect.stringMatching(/^TOPIC/)]);
    display.show(nothing);
    expect(seen().join()).not.toContain('AWAY');
  });

  it('is never higher than the terminal', () => {
    const { display, seen } = open(40, 4);
    display.say('Ready.');
    display.show(nothing);
    expect(seen()).toHaveLength(4);
  });

  it('gives the terminal back once, with what the demo said', () => {
    const { display, written } = open(40, 10);
    display.say('Ready.');
    display.end();
    display.end();
    display.show(nothing);
    display.say('Bye.');
    expect(written.slice(-3)).toEqual(['\x1b[?25h\x1b[?1049l', 'Ready.\n', 'Bye.\n']);
    expect(written[0]).toBe('\x1b[?1049h\x1b[?25l');
  });
});
