import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';
import type { Scenario } from './scenario.js';

const all: readonly Scenario[] = ['queue.process.1', 'queue.process.10', 'log.consume'].map((name) => ({
  name,
  what: '',
  results: [{ name, unit: 'messages/s', better: 'more' }],
  subjects: { millrace: () => Promise.reject(new Error('not measured here')) },
}));

function chosen(only: string): string[] {
  return readOptions(['--only', only], all).scenarios.map(({ name }) => name);
}

describe('--only', () => {
  it('takes whole names and first parts of names', () => {
    expect(chosen('queue.process.1')).toEqual(['queue.process.1']);
    expect(chosen('queue.process')).toEqual(['queue.process.1', 'queue.process.10']);
    expect(chosen('log,queue.process.10')).toEqual(['queue.process.10', 'log.consume']);
  });
});

describe('wrong options', () => {
  it('are told all at once', () => {
    const wrong = () => readOptions(['--only', 'log.consum', '--rounds', '2', '--durability', 'some'], all);
    expect(wrong).toThrow(
      /--durability must be one of[\s\S]*at least 3[\s\S]*no "log\.consum" \(did you mean "log\.consume"\?\)/,
    );
  });
});
