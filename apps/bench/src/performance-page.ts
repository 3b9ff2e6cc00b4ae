import { readFileSync, writeFileSync } from 'node:fs';
import { paceTable } from './pace-table.js';
import { type PageEntry, pageSection } from './page-section.js';

// Writes the tables of docs/performance.md and of the README from the JSON of a run, so that no number in them is typed:
// `node apps/bench/dist/performance-page.js docs/bench/<file>.json`

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

const [source = ''] = process.argv.slice(2);
const entries = JSON.parse(readFileSync(source, 'utf8')) as readonly PageEntry[];
fill('docs/performance.md', pageSection(entries, source));
fill('README.md', paceTable(entries));

function fill(page: string, content: string): void {
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the table: it lies between ${begin} and ${end}`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`);
}
