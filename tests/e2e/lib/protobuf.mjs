// As much of protobuf's wire format as it takes to change a message without its schema.

export function varint(number) {
  const bytes = [];
  for (let n = BigInt(number); ; n >>= 7n) {
    if (n < 128n) return Buffer.from([...bytes, Number(n)]);
    bytes.push(Number(n & 127n) | 128);
  }
}

function readVarint(bytes, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('a message that ends early');
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

/** A field of bytes, a string or a message. */
export const bytesField = (number, content) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
};
export const numberField = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);

/** The message with change(content) in place of the content of each field of bytes with this number. */
export function changeField(message, number, change) {
  const parts = [];
  for (let at = 0; at < message.length;) {
    const begin = at;
    let key;
    [key, at] = readVarint(message, at);
    const kind = Number(key & 7n);
    if (kind === 0) {
      [, at] = readVarint(message, at);
    } else if (kind === 2) {
      let length;
      [length, at] = readVarint(message, at);
      const content = message.subarray(at, at + Number(length));
      at += Number(length);
      if (Number(key >> 3n) === number) {
        parts.push(bytesField(number, change(content)));
        continue;
      }
    } else {
      at += kind === 1 ? 8 : 4;
    }
    parts.push(message.subarray(begin, at));
  }
  return Buffer.concat(parts);
}

/** The content of the first field of bytes with this number. */
export function field(message, number) {
  let found = Buffer.alloc(0);
  changeField(message, number, (content) => {
    if (found.length === 0) found = Buffer.from(content);
    return content;
  });
  return found;
}
