import type { Codec } from './codec.js';
import { CodecError } from './errors.js';
import { propertyOf } from './failure.js';
import { type Packr, requireMsgpackr } from './msgpackr-package.cjs';

/** What to do where msgpackr is missing. */
export const msgpackInstallation = 'For msgpack install the package msgpackr: npm install msgpackr.';

// Plain MessagePack, without msgpackr's record extension, so that every other implementation can read it. Bytes are copied out of the
// frame, which is only valid during the call.
const settings = { useRecords: false, variableMapSize: true, copyBuffers: true, encodeUndefinedAsNil: true };

// An application that wants msgpack installs msgpackr: its native part has an install script, which other applications need not run.
const packr = openPackr();

function openPackr(): Packr | undefined {
  try {
    const { Packr } = requireMsgpackr();
    return new Packr(settings);
  } catch (error) {
    if (propertyOf(error, 'code') === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Whether the application has msgpackr; without it this process does not know the codec `msgpack`. */
export const isMsgpackInstalled = packr !== undefined;

/** MessagePack: smaller than JSON, and it has bytes, dates and big integers. Needs the package msgpackr, which the application installs. */
export const msgpackCodec: Codec = {
  id: 2,
  name: 'msgpack',
  encode(value) {
    if (typeof value === 'function' || typeof value === 'symbol' || value === undefined) {
      throw new TypeError(`MessagePack has no ${typeof value}`);
    }
    return installed().pack(value);
  },
  decode: (bytes): unknown => installed().unpack(bytes),
};

function installed(): Packr {
  if (packr === undefined) throw new CodecError(`msgpackr is not installed. ${msgpackInstallation}`);
  return packr;
}
