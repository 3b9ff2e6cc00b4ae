import {
  DamagedStateError,
  OptionsError,
  optional,
  parseStored,
  rateOption,
  readStored,
  type StoredPlace,
  storedInteger,
  text,
} from '@millrace/core';
import { type Binding, type BindingDeclaration, bindingId, resolveBinding } from './binding.js';
import { type ExchangeSettings, exchangeReaders, hashProblems } from './exchange-settings.js';
import { type QueueSettings, queueReaders } from './queue-settings.js';

/** The fields of declarations stored in Redis, where any client may have changed them: each is checked before it is used. */

const readers = { ...queueReaders, rate: rateOption({}), owner: optional(text('')) };

/** A queue's settings; with any name if `name` is not given. @throws {DamagedStateError} */
export function readStoredQueue(json: string, key: string, name?: string): QueueSettings {
  const place = placeOf('queue', name ?? nameIn(json), key);
  return called(name, readStored<QueueSettings>(readers, json, place), place);
}

/** An exchange's settings; with any name if `name` is not given. @throws {DamagedStateError} */
export function readStoredExchange(json: string, key: string, name?: string): ExchangeSettings {
  const place = placeOf('exchange', name ?? nameIn(json), key);
  const settings = called(name, readStored<ExchangeSettings>(exchangeReaders, json, place), place);
  const problems = hashProblems(settings);
  if (problems.length > 0) throw new DamagedStateError(place, problems);
  return settings;
}

/** @throws {DamagedStateError} the settings are those of another object */
function called<T extends { readonly name: string }>(name: string | undefined, settings: T, place: StoredPlace): T {
  if (name === undefined || settings.name === name) return settings;
  throw new DamagedStateError(place, [`it is called ${JSON.stringify(settings.name)}`]);
}

/** A binding; of any id if `id` is not given. @throws {DamagedStateError} */
export function readStoredBinding(json: string, key: string, id?: string): Binding {
  const binding = readBinding(json, bindingPlace(key, id));
  if (id === undefined || bindingId(binding) === id) return binding;
  throw new DamagedStateError(bindingPlace(key, id), [`it is the binding ${bindingId(binding)}`]);
}

function readBinding(json: string, place: StoredPlace): Binding {
  const { source, kind, destination, routingKey, arguments: bindingArguments } = parseStored(json, place);
  const target = kind === 'exchange' ? 'toExchange' : String(kind);
  try {
    // `resolveBinding` checks the values.
    const declaration = { exchange: source, [target]: destination, routingKey, arguments: bindingArguments };
    return resolveBinding(declaration as unknown as BindingDeclaration);
  } catch (error) {
    if (error instanceof OptionsError) throw new DamagedStateError(place, error.problems, { cause: error });
    throw error;
  }
}

/** The largest date: a greater number would soon exceed what counts exactly. */
const maxVersion = 8_640_000_000_000_000;

/** A topology version, which is a time; undefined when it is invalid. */
export function readStoredVersion(digits: string): number | undefined {
  return storedInteger(digits, { max: maxVersion });
}

function bindingPlace(key: string, id: string | undefined): StoredPlace {
  const remedy = 'Bind it again, and remove this field.';
  if (id === undefined) return { object: 'a binding', key, remedy };
  return { object: `binding ${JSON.stringify(id)}`, key: `${key}, field ${JSON.stringify(id)}`, remedy };
}

function placeOf(kind: 'queue' | 'exchange', name: string, key: string): StoredPlace {
  const call = kind === 'queue' ? 'declareQueue' : 'declareExchange';
  const object = `${kind} ${JSON.stringify(name)}`;
  return { object, key, remedy: `Declare it again, which rewrites its settings: ${call}({ name: … }).` };
}

/** Used in an error only. */
function nameIn(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    const name = typeof value === 'object' && value !== null ? Reflect.get(value, 'name') : undefined;
    return typeof name === 'string' ? name.slice(0, 255) : '?';
  } catch {
    return '?';
  }
}
