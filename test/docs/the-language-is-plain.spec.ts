import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from './code-blocks.js';

interface RefusedWord {
  readonly word: RegExp;
  /** What to write instead. */
  readonly write: string;
  readonly because: string;
}

const unknownActor = 'the reader has to find out which process, consumer or user acts';
/** Words that have no right place in this repository: CONTRIBUTING.md, "Language", has the whole table. */
const refused: readonly RefusedWord[] = [
  { word: /\bwhoever\b/i, write: 'the consumer, the caller, any process that …', because: unknownActor },
  { word: /\b(some|any)body\b/i, write: 'a consumer, another process, a user', because: unknownActor },
  { word: /\bnobody\b/i, write: 'no process, no consumer, "without consumers"', because: unknownActor },
  { word: /\banew\b/i, write: 'again, or: a new …', because: 'readers of technical English do not know the word' },
  {
    word: /\bat once\b/i,
    write: 'immediately, simultaneously, or: in one call',
    because: 'it means all three, and they are different promises',
  },
  { word: /\ba text\b/i, write: 'a string', because: 'a text is prose; the type is a string' },
  { word: /\bin doubt\b/i, write: 'unknown, pending', because: 'a state has a name; doubt is a feeling' },
  { word: /\bis no (matter|silence)\b/i, write: 'fails, is rejected, does not count', because: 'it is a riddle' },
  {
    word: /\b(tells|told|telling) of\b/i,
    write: 'emits, reports, logs',
    because: 'it does not say how it is reported',
  },
  { word: /\bby turns\b/i, write: 'alternating', because: 'a turn is a round trip of a consumer (glossary)' },
];

/** Where the words are refused. An area is added as soon as it has none of them. */
const areas: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'docs',
  'libs',
  'apps',
  'deploy',
  'scripts',
  'test',
];
const kinds = /\.(md|ts|mjs|lua|acl|ya?ml)$/;
/** The specs and mutants that name the words themselves. */
const namesTheWords = /the-language-is-plain/;

function filesOf(area: string): string[] {
  if (kinds.test(area)) return [area];
  return readdirSync(join(root, area), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && kinds.test(entry.name) && !/node_modules|\/dist(\/|$)/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !namesTheWords.test(file));
}

/** One line per refused word: where it is, what to write, and why. */
function refusedIn(file: string): string[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((line, index) =>
    refused.flatMap(({ word, write, because }) => {
      const [found] = word.exec(line) ?? [];
      return found === undefined ? [] : [`${file}:${index + 1}: "${found}". Write ${write}: ${because}`];
    }),
  );
}

// given: pages, comments and messages that engineers from everywhere read
// when: one of them has a word that does not say what happens, or who does it
// then: the line is named, with the word to use
describe('the language is plain', () => {
  it.each(areas)('in %s', (area) => {
    expect(filesOf(area).flatMap(refusedIn)).toEqual([]);
  });
});
