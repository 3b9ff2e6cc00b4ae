import { Packr } from 'msgpackr';
import type { Codec } from './codec.js';

// Plain MessagePack, without msgpackr's record extension, so that every other implementation can read it; bytes are
// copied out of the frame, which is only lent.
const packr = new Packr({ useRecords: false, variableMapSize: true, copyBuffers: true, encodeUndefinedAsNil: true });

/** MessagePack: smaller than JSON, and it has bytes, dates and big integers. */
export const msgpackCodec: Codec = {
  id: 2,
  name: 'msgpack',
  encode(value) {
    if (typeof value === 'function' || typeof value === 'symbol' || value === undefined) {
      throw new TypeError(`MessagePack has no ${typeof value}`);
    }
    return packr.pack(value);
  },
  decode: (bytes): unknown => packr.unpack(bytes),
};
