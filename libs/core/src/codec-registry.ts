import type { Codec } from './codec.js';
import { CodecError } from './errors.js';
import { guardedCodec } from './guarded-codec.js';
import { msgpackCodec, msgpackInstallation } from './msgpack-codec.js';

/** The codecs a connection knows: finds one for the id in a frame. */
export class CodecRegistry {
  readonly #byId = new Map<number, Codec>();

  /** @throws {CodecError} one of them is not a codec, or two share an id */
  constructor(codecs: readonly Codec[]) {
    for (const codec of codecs.map(guardedCodec)) {
      const other = this.#byId.get(codec.id);
      if (other !== undefined && other !== codec) {
        throw new CodecError(`codecs "${other.name}" and "${codec.name}" both have id ${codec.id}: change one of them`);
      }
      this.#byId.set(codec.id, codec);
    }
  }

  /** The codec with that id. @throws {CodecError} when no codec has that id */
  get(id: number): Codec {
    const codec = this.#byId.get(id);
    if (codec !== undefined) return codec;
    if (id === msgpackCodec.id) throw new CodecError(`no codec has id ${id} (msgpack). ${msgpackInstallation}`);
    throw new CodecError(`no codec has id ${id}: add the codec that wrote it to the options`);
  }

  /** Whether a codec has that id. */
  has(id: number): boolean {
    return this.#byId.has(id);
  }
}
