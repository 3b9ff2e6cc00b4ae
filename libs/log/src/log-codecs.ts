import {
  type Codec,
  CodecError,
  guardedCodec,
  isMsgpackInstalled,
  jsonCodec,
  msgpackCodec,
  rawCodec,
} from '@millrace/core';

/**
 * The codecs of a Log: those that it has by itself, and those that it was given.
 *
 * @throws {CodecError} one of them is wrong, or two have one name: topics name their codec
 */
export function logCodecs(given: readonly Codec[]): Codec[] {
  const own = [jsonCodec, ...(isMsgpackInstalled ? [msgpackCodec] : []), rawCodec as Codec];
  const byName = new Map<string, Codec>();
  for (const codec of [...own, ...given].map(guardedCodec)) {
    const { name, id } = codec;
    const other = byName.get(name);
    if (other !== undefined && other !== codec)
      throw new CodecError(`two codecs have the name "${name}" (ids ${other.id} and ${id}): change one of them`);
    byName.set(name, codec);
  }
  return [...byName.values()];
}
