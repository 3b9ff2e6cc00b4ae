import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { libOf } from './pure-files.mjs';

/** Maps Stryker's statuses of a fault to the outcomes of `npm run mutants`. `untried`: no test reaches the fault. */
const outcomes = {
  Killed: 'killed',
  Timeout: 'hung',
  Survived: 'survived',
  NoCoverage: 'untried',
  RuntimeError: 'broken',
};

/**
 * The outcomes of Stryker's faults, in the form that `passes` takes. Surviving faults in `equivalent` are left out: callers cannot see
 * their change. An entry of that list without a survivor is a problem, described in a sentence.
 */
export function judge(root, faults, equivalent) {
  const sources = new Map();
  const sourceOf = (file) => {
    if (!sources.has(file)) sources.set(file, readFileSync(join(root, file), 'utf8'));
    return sources.get(file);
  };
  const problems = [];
  const places = [];
  for (const entry of equivalent) {
    const source = sourceOf(entry.file);
    const start = source.indexOf(entry.code);
    if (start < 0 || source.indexOf(entry.code, start + 1) >= 0)
      problems.push(
        `${entry.file} must contain exactly once the code in test/mutants/pure/equivalent.mjs: ${entry.code}`,
      );
    else places.push({ ...entry, start, end: start + entry.code.length, isNeeded: false });
  }
  const results = [];
  for (const { fileName, location, replacement, mutatorName, status } of faults) {
    const file = relative(root, fileName);
    const source = sourceOf(file);
    const [start, end] = [location.start, location.end].map((position) => indexOf(source, position));
    const outcome = outcomes[status] ?? status;
    const place = places.find(
      (one) =>
        one.file === file &&
        one.start <= start &&
        end <= one.end &&
        (one.becomes ?? [replacement]).includes(replacement),
    );
    if (place !== undefined && (outcome === 'survived' || outcome === 'untried')) {
      place.isNeeded = true;
      continue;
    }
    const mutant = {
      area: libOf(file),
      promise: mutatorName,
      file: `${file}:${location.start.line}`,
      replace: source.slice(start, end),
      by: replacement,
    };
    results.push({ mutant, outcome });
  }
  for (const { file, code, isNeeded } of places)
    if (!isNeeded)
      problems.push(
        `${file}: no fault survives in code that test/mutants/pure/equivalent.mjs lists as equivalent: ${code}`,
      );
  return { results, problems };
}

/** Lines and columns count from 1. */
function indexOf(source, { line, column }) {
  let start = 0;
  for (let left = line; left > 1; left--) start = source.indexOf('\n', start) + 1;
  return start + column - 1;
}
