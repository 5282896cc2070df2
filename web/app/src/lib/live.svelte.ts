/** What is shared between the room and the frame around it. */
class Live {
  /** The room has the whole page. */
  inRoom = $state(false);
  /** The room to join without asking: whoever starts one goes in. */
  entering = '';
  /** Read out by screen readers. */
  announcement = $state('');
  #timer: ReturnType<typeof setTimeout> | undefined;

  announce(text: string): void {
    // The same text twice is read twice only if there was none in between.
    this.announcement = '';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.announcement = text;
    }, 60);
  }
}

export const live = new Live();
