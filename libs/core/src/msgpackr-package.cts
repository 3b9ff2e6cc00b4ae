// CommonJS in both builds: only `require` can look for a package without making its importer asynchronous, and a module that is loaded by
// `require` must have no top-level await.

/** The package msgpackr, which an application that wants msgpack installs. @throws {Error} with the code MODULE_NOT_FOUND without it */
export function requireMsgpackr(): { readonly Packr: new (settings: object) => Packr } {
  return require('msgpackr');
}

/** The part of its encoder that is used here. */
export interface Packr {
  /** The bytes of a value. */
  pack(value: unknown): Buffer;
  /** The value of such bytes. */
  unpack(bytes: Uint8Array): unknown;
}
