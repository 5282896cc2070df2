// Messages on the WebSocket are padded to steps of 256 bytes, those of keys to steps of 64, so that their sizes
// tell little.

export const kMessageStep = 256;
export const kKeysMessageStep = 64;
/** `bytes padding = 15` of ClientMessage and ServerMessage: field 15, wire type 2. */
const kPaddingTag = 0x7a;

/**
 * Appends the padding field, so that the whole is a multiple of the step exactly. A field needs at least
 * two bytes, and a length of 128 needs one more than 127: where a field of the missing size does not
 * exist, the message goes to the step after.
 */
export function padMessage(message: Uint8Array, step = kMessageStep): Uint8Array<ArrayBuffer> {
  let missing = (step - (message.length % step)) % step;
  if (missing === 0) return message.slice() as Uint8Array<ArrayBuffer>;
  let zeros = zerosOfField(missing);
  if (zeros === null) {
    missing += step;
    zeros = zerosOfField(missing);
  }
  if (zeros === null) throw new Error('no padding of that size');
  const padded = new Uint8Array(message.length + missing);
  padded.set(message);
  let at = message.length;
  padded[at++] = kPaddingTag;
  if (zeros < 0x80) {
    padded[at] = zeros;
  } else {
    padded[at++] = (zeros & 0x7f) | 0x80;
    padded[at] = zeros >> 7;
  }
  return padded;
}

/** How many zeros a padding field of `size` bytes in all carries; null where there is no such field. */
function zerosOfField(size: number): number | null {
  const short = size - 2;
  if (short >= 0 && short < 0x80) return short;
  const long = size - 3;
  return long >= 0x80 && long < 0x4000 ? long : null;
}
