const lineEnd = Buffer.from('\r\n');
const bulkTypes = '$!=';
const listTypes = '*~>';
const mapTypes = '%|';

/**
 * Cuts a stream of RESP2 or RESP3 bytes into whole top-level values: commands on the way to Redis, replies on the
 * way back. It reads lengths only and never looks inside; an inline command (`PING\r\n`) is a line.
 */
export class RespFrames {
  #pending: Buffer = Buffer.alloc(0);

  /** Adds bytes and returns the values that are complete now. */
  push(chunk: Buffer): Buffer[] {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    for (let end = endOfValue(bytes, 0); end !== undefined; end = endOfValue(bytes, 0)) {
      frames.push(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
    }
    this.#pending = bytes;
    return frames;
  }
}

/** Whether these bytes are a push of RESP3 (a published message, an invalidation), which is not the reply to a command. */
export function isPush(frame: Buffer): boolean {
  return frame[0] === '>'.charCodeAt(0);
}

/** The end of the value that begins at `start`, or `undefined` while it is not complete. */
function endOfValue(bytes: Buffer, start: number): number | undefined {
  const lineBreak = bytes.indexOf(lineEnd, start);
  if (lineBreak === -1) return undefined;
  const next = lineBreak + lineEnd.length;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const length = Number(bytes.toString('latin1', start + 1, lineBreak));
  if (bulkTypes.includes(type)) {
    const end = length < 0 ? next : next + length + lineEnd.length;
    return end <= bytes.length ? end : undefined;
  }
  if (listTypes.includes(type)) return endOfValues(bytes, next, length);
  // An attribute (`|`) comes before the value that it describes.
  if (mapTypes.includes(type)) return endOfValues(bytes, next, length * 2 + (type === '|' ? 1 : 0));
  return next;
}

function endOfValues(bytes: Buffer, start: number, count: number): number | undefined {
  let end: number | undefined = start;
  for (let index = 0; index < count && end !== undefined; index++) end = endOfValue(bytes, end);
  return end;
}
