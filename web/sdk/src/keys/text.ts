import { configureTextEncoding } from '@bufbuild/protobuf/wire';

/**
 * protobuf-es drops a byte order mark at the start of a string: bytes that every other implementation
 * takes would look like another encoding of the message.
 */
export function keepByteOrderMarks(): void {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  configureTextEncoding({
    encodeUtf8: (text) => encoder.encode(text),
    decodeUtf8: (bytes) => decoder.decode(bytes),
    // A lone surrogate has no UTF-8.
    checkUtf8: (text) => !/[\ud800-\udfff]/u.test(text),
  });
}
