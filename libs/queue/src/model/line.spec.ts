import { expect, it } from '@jest/globals';
import { lineOf, parseLine } from './line.js';

it('a line is read as it was written, whatever its data', () => {
  for (const data of ['', '{"reason":"failed"}', 'two\nlines and spaces ', '注文']) {
    expect(parseLine(lineOf('dead-letter', data))).toEqual({ kind: 'dead-letter', data });
  }
});

it('that of a kind that is not known here has its kind, and what is no line has none', () => {
  expect(parseLine('flow-node {"flow":1}')).toEqual({ kind: 'flow-node', data: '{"flow":1}' });
  for (const text of ['', '{"reason":"failed"}', 'null', ' x', 'Dead x', 'dead-letter']) {
    expect(parseLine(text)).toEqual({ kind: '', data: '' });
  }
});
