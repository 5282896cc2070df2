import { packFrame, unpackFrame } from './framing';
import type { FrameFault } from './framing';

/** What the sender knows about the frame that it is about to send. */
export interface SendContext {
  seat: number;
}

export interface ReceivedFrame {
  /** The seat that the frame claims; the voice behind it is named by this. */
  seat: number;
  opus: Uint8Array<ArrayBuffer>;
}

export type ReceiveFault = FrameFault | 'key';

/**
 * Between the codec and the wire, for every frame in both directions. Runs in the transform worker. This is
 * where end-to-end encryption sits: an implementation owns its keys and changes nothing around it.
 */
export interface FrameTransform {
  /** The bytes to send, exactly one bucket; null: do not send this frame. */
  seal(opus: Uint8Array, context: SendContext): Uint8Array<ArrayBuffer> | null;
  /** The frame to decode, or why it is dropped. Every byte of `packet` is hostile. */
  open(packet: Uint8Array): ReceivedFrame | ReceiveFault;
}

/** Version 0: constant size and the seat, without keys. */
export class PlainFrameTransform implements FrameTransform {
  constructor(private readonly bucket: number) {}

  seal(opus: Uint8Array, context: SendContext): Uint8Array<ArrayBuffer> | null {
    return packFrame(context.seat, opus, this.bucket);
  }

  open(packet: Uint8Array): ReceivedFrame | ReceiveFault {
    return unpackFrame(packet, this.bucket);
  }
}
