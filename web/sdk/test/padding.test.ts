import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { padMessage } from '../src/events/padding';
import { ClientMessageSchema } from '../src/gen/alcove/v1/events_pb';

function hello(joinToken: string): Uint8Array {
  return toBinary(
    ClientMessageSchema,
    create(ClientMessageSchema, { message: { case: 'hello', value: { joinToken } } }),
  );
}

describe('padMessage', () => {
  it('gives a multiple of 256 for every size, and the message is still readable', () => {
    for (let length = 0; length < 700; ++length) {
      const token = 'x'.repeat(length);
      const padded = padMessage(hello(token));
      expect(padded.length % 256).toBe(0);
      expect(padded.length).toBeGreaterThan(0);
      const read = fromBinary(ClientMessageSchema, padded);
      expect(read.message).toMatchObject({ case: 'hello', value: { joinToken: token } });
      expect(read.padding.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('adds at most one step more than needed, and only where a field cannot fill the gap', () => {
    for (let length = 1; length <= 512; ++length) {
      const needed = Math.ceil(length / 256) * 256;
      const extra = padMessage(new Uint8Array(length)).length - needed;
      const gap = needed - length;
      expect(extra).toBe(gap === 1 || gap === 130 ? 256 : 0);
    }
  });

  it('leaves a full step alone and does not alias the input', () => {
    const full = new Uint8Array(256).fill(1);
    const padded = padMessage(full);
    expect(padded).toEqual(full);
    padded[0] = 2;
    expect(full[0]).toBe(1);
  });
});
