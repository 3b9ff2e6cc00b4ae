import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from './code-blocks.js';

/**
 * Words that every programmer knows, and participles of such words: nothing here means something of its own by them. (`consumergroup` is
 * kafka_exporter's word, `lettered` half of "dead-lettered".)
 */
const plain = words(`
  append appended argument background blocking byte cache choice client closed cluster command connection connector consumergroup count
  counter current cursor cut damaged deadline declared decoded direction discovery dropped duration end error event exceeded execution
  fault fetch fifo first found gauge gone handle health histogram in info inner invalid item key last later lettered limit link linked
  list listener lived log logger long loop map module no not number of open out packer plain poll polling prepared program proxied proxy
  pulled quiet range read reader reading redis refused registry remote removal replicated request resp result sampler schedule scheduled
  script search second send sender sent sentinel server service set shared short size start started stopped stream sum table
  taken taker target time timeout timer tls total transport trie twice unavailable unpacker unread unsupported up use validation value
  wait watch write writer
`);

interface Named {
  /** `class PublishPipeline`, `key follow-ups`. */
  readonly what: string;
  readonly words: readonly string[];
}

function words(text: string): Set<string> {
  return new Set(wordsOf(text).map(singular));
}

/** The words of a name in any case: `RecordBatchWriter`, `follow-ups`, `queue_messages_ready`. */
function wordsOf(name: string): string[] {
  return [...name.matchAll(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g)].map(([word]) => word.toLowerCase());
}

function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word;
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
}

function sources(): string[] {
  return readdirSync(join(root, 'libs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^[^/]+\/src\/.*\.ts$/.test(file) && !/\.spec\.ts$|node_modules/.test(file))
    .map((file) => join('libs', file));
}

function named(kind: string, names: Iterable<string>): Named[] {
  return [...new Set(names)].map((name) => ({ what: `${kind} ${name}`, words: wordsOf(name) }));
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}

function everythingNamed(): Named[] {
  const files = sources();
  const classes = files.flatMap((file) =>
    matches(textOf(file), /^(?:export )?(?:default )?(?:abstract )?class (\w+)/gm),
  );
  const keys = files
    .filter((file) => file.endsWith('/store/keys.ts'))
    .flatMap((file) => matches(textOf(file), /`\$\{\w+[^`]*?\}:([^`]*)`/g))
    .flatMap((key) => key.replaceAll(/\$\{[^}]*\}/g, '').split(/[:{}]+/));
  const events = matches(textOf('libs/delivery/src/events.ts'), /^ {2}'?([a-z-]+)'?: \[/gm);
  const metrics = files
    .filter((file) => file.startsWith('libs/metrics/'))
    .flatMap((file) => matches(textOf(file), /'millrace_([a-z_]+)'/g));
  return [...named('class', classes), ...named('key', keys), ...named('event', events), ...named('metric', metrics)];
}

/** The rows of the glossary: its terms, and as many meanings. */
function glossary(): { readonly terms: readonly string[]; readonly meanings: readonly string[] }[] {
  const [, section = ''] = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split(/^## Glossary$/m);
  return [...(section.split(/^## /m)[0] ?? '').matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)]
    .map(([, terms = '', meanings = '']) => ({
      terms: terms.trim().split(', '),
      meanings: meanings.trim().split('; '),
    }))
    .filter(({ terms }) => terms[0] !== 'word' && !/^-+$/.test(terms[0] ?? ''));
}

// given: classes, keys, events and metrics, whose names are what a reader meets first
// when: one of them uses a noun
// then: it stands in the glossary of ARCHITECTURE.md with its one meaning
describe('the glossary', () => {
  const terms = glossary().flatMap((row) => row.terms);

  it('has every noun that a class, a key, an event or a metric is named after', () => {
    const known = new Set([...plain, ...terms.flatMap((term) => [...words(term)])]);
    const missing = new Map<string, string[]>();
    for (const { what, words: all } of everythingNamed()) {
      for (const word of all.map(singular).filter((word) => !known.has(word))) {
        missing.set(word, [...(missing.get(word) ?? []), what]);
      }
    }
    expect(
      [...missing].map(
        ([word, uses]) =>
          `"${word}" (${uses.join(', ')}): give it a row in ARCHITECTURE.md, "Glossary", or take a word that has one`,
      ),
    ).toEqual([]);
  });

  it('gives each term one meaning, once', () => {
    expect(terms.length).toBeGreaterThan(100);
    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([]);
    expect(
      glossary()
        .filter((row) => row.terms.length !== row.meanings.length)
        .map((row) => row.terms.join(', ')),
    ).toEqual([]);
  });

  it('leaves to the list of plain words only those that are used, and no term of its own', () => {
    const used = new Set(everythingNamed().flatMap((one) => one.words.map(singular)));
    expect([...plain].filter((word) => !used.has(word))).toEqual([]);
    expect(terms.filter((term) => plain.has(singular(term)))).toEqual([]);
  });
});
