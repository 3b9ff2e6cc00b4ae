import { type Codec, guardedCodec, isMsgpackInstalled, jsonCodec, msgpackCodec, rawCodec } from '@millrace/core';

/** The codecs of a Log: those that it has by itself, and those that it was given. */
export function logCodecs(given: readonly Codec[]): Codec[] {
  const own = [jsonCodec, ...(isMsgpackInstalled ? [msgpackCodec] : []), rawCodec as Codec];
  return [...own, ...given].map(guardedCodec);
}
