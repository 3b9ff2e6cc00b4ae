import { DamagedStateError, type StoredPlace } from './errors.js';
import { shown } from './numbers.js';
import { type OptionReaders, readOptions } from './options.js';

/** Longer than any declaration of Millrace: names have at most 255 bytes. */
const maxStoredLength = 65_536;

/**
 * Reads JSON that is stored in Redis. Any program may have written it, so it is checked like options. Keys that `readers` do not have are
 * kept as they are, since a newer Millrace may have written them; missing ones get their default.
 *
 * @throws {DamagedStateError} with every problem
 */
export function readStored<T extends object>(readers: OptionReaders<T>, json: string, place: StoredPlace): T {
  const value = parseStored(json, place);
  const problems: string[] = [];
  const report = (problem: string, kind?: 'unknown'): void => {
    if (kind !== 'unknown') problems.push(problem);
  };
  const read = readOptions(readers, value, report, '');
  if (problems.length > 0) throw new DamagedStateError(place, problems);
  return Object.freeze({ ...value, ...read });
}

/** Parses a JSON object of bounded length. @throws {DamagedStateError} it is not one */
export function parseStored(json: string, place: StoredPlace): Readonly<Record<string, unknown>> {
  if (json.length > maxStoredLength) {
    throw new DamagedStateError(place, [`it has ${json.length} characters, where ${maxStoredLength} are the most`]);
  }
  const value = parsed(json, place);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new DamagedStateError(place, [`it must be an object, got ${shown(value)}`]);
}

/** A whole number as Redis keeps it, in digits; undefined for anything else. */
export function storedInteger(
  digits: string,
  { max = Number.MAX_SAFE_INTEGER }: { readonly max?: number } = {},
): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(digits)) return undefined;
  const number = Number(digits);
  return number <= max ? number : undefined;
}

function parsed(json: string, place: StoredPlace): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new DamagedStateError(place, [`it must be JSON, got ${shown(json)}`], { cause });
  }
}
