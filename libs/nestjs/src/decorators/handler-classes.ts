const seen = new WeakSet<object>();
/** Weak, since a test may make thousands. */
let noted: WeakRef<object>[] = [];

/** Notes a class with a decorated method, by its prototype: what the decorator of a method gets. */
export function noteHandlerClass(prototype: object): void {
  if (typeof prototype === 'function' || seen.has(prototype)) return;
  seen.add(prototype);
  noted.push(new WeakRef(prototype));
}

/** The prototypes that were noted since the last call. */
export function takeHandlerClasses(): object[] {
  const taken = noted.map((ref) => ref.deref()).filter((prototype) => prototype !== undefined);
  noted = [];
  return taken;
}
