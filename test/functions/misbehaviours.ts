/** What a function of a user may do instead of what it should. */
export interface Misbehaviour {
  readonly what: string;
  readonly act: () => unknown;
  /** Whether what waits for it waits for ever. */
  readonly hangs: boolean;
}

const circular: Record<string, unknown> = {};
circular.self = circular;

/** Values that are awkward to throw, and to return. */
const oddities: readonly (readonly [what: string, make: () => unknown])[] = [
  ['an error', () => new Error('on purpose')],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a string', () => 'on purpose'],
  ['NaN', () => Number.NaN],
  ['Infinity', () => Number.POSITIVE_INFINITY],
  ['-1', () => -1],
  ['a BigInt', () => 12n],
  ['a symbol', () => Symbol('on purpose')],
  ['an object without a prototype', () => Object.create(null)],
  ['a circular object', () => circular],
  ['a revoked proxy', () => revoked({})],
  ['a revoked error', () => revoked(new Error('on purpose'))],
  ['an error whose message is null', () => property('message', { value: null })],
  ['an error whose message is an object', () => property('message', { value: { code: 7 } })],
  ['an error whose stack cannot be read', () => property('stack', { get: thrower(new Error('not readable')) })],
  ['an error whose properties cannot be read', () => property('code', { get: thrower(undefined), enumerable: true })],
  ['a thenable that throws', () => Object.fromEntries([['then', thrower(new Error('on purpose'))]])],
];

/** Each of them once thrown, once as the reason of a rejection, once returned; and a promise that never settles. */
const ways: readonly Misbehaviour[] = [
  ...oddities.flatMap(([what, make]): Misbehaviour[] => [
    { what: `throws ${what}`, act: () => thrower(make())(), hangs: false },
    { what: `rejects with ${what}`, act: () => Promise.reject(make()), hangs: false },
    { what: `returns ${what}`, act: make, hangs: false },
  ]),
  { what: 'returns a promise of a value', act: async () => 7, hangs: false },
  { what: 'never settles', act: () => new Promise(() => undefined), hangs: true },
];

const acted = new Set<string>();

/** Whether every way was acted since `neverDone` was asked last. */
export function areAllDone(): boolean {
  return ways.every(({ what }) => acted.has(what));
}

/** What no function of a user has done since this was asked last. */
export function neverDone(): string[] {
  const never = ways.map(({ what }) => what).filter((what) => !acted.has(what));
  acted.clear();
  return never;
}

export const misbehaviours: readonly Misbehaviour[] = ways.map(({ what, act, hangs }) => ({
  what,
  hangs,
  act: () => {
    acted.add(what);
    return act();
  },
}));

function thrower(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function property(name: string, descriptor: PropertyDescriptor): Error {
  return Object.defineProperty(new Error('on purpose'), name, descriptor);
}
