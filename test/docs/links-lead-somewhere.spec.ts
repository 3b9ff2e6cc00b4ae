import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pages, root } from './code-blocks.js';

const link = /\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g;

/** Links of a page to files that are not there. */
function deadLinksOf(page: string): string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(link)]
    .map(([, target = '']) => target)
    .filter((target) => !existsSync(resolve(dirname(page), target)))
    .map((target) => `${relative(root, page)}: ${target}`);
}

describe('links', () => {
  it('in the README and in docs/ lead to files that exist', () => {
    expect(pages().flatMap(deadLinksOf)).toEqual([]);
  });

  it('of the README name a test for each promise', () => {
    const [, table = ''] = /^## Promises$([\s\S]*?)^## /m.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
    const rows = table.split('\n').filter((line) => line.startsWith('|') && !/^\| ?(-|what )/.test(line));
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.filter((row) => !/\]\(test\/[a-z/-]+\.spec\.ts\)/.test(row))).toEqual([]);
  });

  it('of the index reach every page that is directly in docs/', () => {
    const index = readFileSync(join(root, 'docs/README.md'), 'utf8');
    const missing = pages()
      .map((page) => relative(join(root, 'docs'), page))
      .filter((page) => !page.includes('/') && page !== 'README.md')
      .filter((page) => !index.includes(`(${page})`));
    expect(missing).toEqual([]);
  });
});
