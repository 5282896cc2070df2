/** Where a slot's sound goes. The SDK has no document: the host makes the elements. */
export interface AudioSink {
  /** Called once for each slot, before any sound comes. */
  open(slot: number, stream: MediaStream): AudioOutput;
}

export interface AudioOutput {
  /** Rejects with NotAllowedError where the browser wants a gesture first. */
  play(): Promise<void>;
  close(): void;
}

/** One `<audio>` element a slot, in the document, out of sight. */
export class ElementAudioSink implements AudioSink {
  constructor(private readonly parent: HTMLElement) {}

  open(slot: number, stream: MediaStream): AudioOutput {
    const element = this.parent.ownerDocument.createElement('audio');
    element.autoplay = true;
    element.dataset['slot'] = String(slot);
    element.srcObject = stream;
    this.parent.append(element);
    return {
      play: () => element.play(),
      close: () => {
        element.srcObject = null;
        element.remove();
      },
    };
  }
}
