// Version 0 of what a frame looks like between the codec and the packet:
//
//   u8 seat || u16 length (big-endian) || Opus frame || zeros up to the bucket
//
// Every frame on the wire has exactly `bucket` bytes, so sizes tell nothing about speech. Keys come on
// top of it: the transform that encrypts wraps the same layout.

/** Seat and length. */
export const kFrameHeaderSize = 3;

export type FrameFault = 'size' | 'seat' | 'length' | 'padding';

export interface OpenedFrame {
  seat: number;
  opus: Uint8Array<ArrayBuffer>;
}

/** The longest Opus frame that fits. */
export function frameCapacity(bucket: number): number {
  return bucket - kFrameHeaderSize;
}

/** Null where the frame is empty or too large for the bucket, or the seat is none (1 to 255 are). */
export function packFrame(
  seat: number,
  opus: Uint8Array,
  bucket: number,
): Uint8Array<ArrayBuffer> | null {
  if (!Number.isInteger(seat) || seat < 1 || seat > 255) return null;
  if (opus.length === 0 || opus.length > frameCapacity(bucket)) return null;
  const packet = new Uint8Array(bucket);
  packet[0] = seat;
  packet[1] = opus.length >> 8;
  packet[2] = opus.length & 0xff;
  packet.set(opus, kFrameHeaderSize);
  return packet;
}

/** The frame inside a packet, or what is wrong with it. Copies, so that the packet may be reused. */
export function unpackFrame(packet: Uint8Array, bucket: number): OpenedFrame | FrameFault {
  const [seat, high, low] = packet;
  if (packet.length !== bucket) return 'size';
  if (seat === undefined || high === undefined || low === undefined) return 'size';
  if (seat === 0) return 'seat';
  const length = (high << 8) | low;
  if (length === 0 || length > frameCapacity(bucket)) return 'length';
  const end = kFrameHeaderSize + length;
  for (let i = end; i < packet.length; ++i) {
    if (packet[i] !== 0) return 'padding';
  }
  return { seat, opus: packet.slice(kFrameHeaderSize, end) as Uint8Array<ArrayBuffer> };
}
