import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's own folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A block of TypeScript in a page. */
export interface CodeBlock {
  /** `docs/handlers.md:17` */
  readonly place: string;
  /** `docs/handlers.md#1`: the first of its page */
  readonly name: string;
  readonly code: string;
  /** Text that it prints when it is run; undefined when it is compiled only. */
  readonly prints: string | undefined;
  /** Why it is not compiled; undefined when it is. */
  readonly fragmentBecause: string | undefined;
}

/** The README and everything under `docs/`, without the pages that are records of their day. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.startsWith('decisions'))
    .map((file) => join(root, 'docs', file));
  return [join(root, 'README.md'), ...docs.sort()];
}

const fence = /^(?:<!-- (runs|fragment): "?(.*?)"? -->\n+)?```ts\n([\s\S]*?)^```$/gm;

/**
 * All blocks of TypeScript. The comment `<!-- runs: "text" -->` above one says that it is run and what it prints then,
 * `<!-- fragment: why -->` that it cannot be compiled; every other one is compiled.
 */
export function codeBlocks(): CodeBlock[] {
  return pages().flatMap((page) => {
    const text = readFileSync(page, 'utf8');
    return [...text.matchAll(fence)].map(({ index, 1: mark, 2: words, 3: code = '' }, number) => ({
      place: `${relative(root, page)}:${text.slice(0, index).split('\n').length}`,
      name: `${relative(root, page)}#${number + 1}`,
      code,
      prints: mark === 'runs' ? words : undefined,
      fragmentBecause: mark === 'fragment' ? words : undefined,
    }));
  });
}
