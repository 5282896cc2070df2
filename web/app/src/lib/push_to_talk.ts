// The space bar as push-to-talk: while muted, holding it opens the microphone.

export interface PushToTalkHost {
  /** On stage, muted, with a microphone, and no dialog open. */
  ready(): boolean;
  talk(talking: boolean): void;
}

/** Elements that take text, or that do something of their own with the space bar. */
const kFields = 'input, textarea, select, [contenteditable], dialog, summary, audio, video';

/** Returns what ends it. */
export function pushToTalk(host: PushToTalkHost): () => void {
  let talking = false;
  // The space bar belongs to a button only where the keyboard went to it, not where a press did.
  let byKeyboard = false;

  const isForUs = (event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (target?.closest(kFields)) return false;
    return !(byKeyboard && target?.closest('button, a[href]'));
  };
  const stop = () => {
    if (!talking) return;
    talking = false;
    host.talk(false);
  };
  const down = (event: KeyboardEvent) => {
    if (event.key === 'Tab') byKeyboard = true;
    if (event.code !== 'Space') return;
    if (talking) {
      event.preventDefault();
      return;
    }
    if (event.repeat || !isForUs(event) || !host.ready()) return;
    event.preventDefault();
    talking = true;
    host.talk(true);
  };
  const up = (event: KeyboardEvent) => {
    if (event.code !== 'Space' || !talking) return;
    // Or the button that has the focus would be pressed.
    event.preventDefault();
    stop();
  };
  const pressed = () => {
    byKeyboard = false;
  };

  window.addEventListener('keydown', down);
  window.addEventListener('keyup', up);
  window.addEventListener('pointerdown', pressed);
  window.addEventListener('blur', stop);
  document.addEventListener('visibilitychange', stop);
  return () => {
    stop();
    window.removeEventListener('keydown', down);
    window.removeEventListener('keyup', up);
    window.removeEventListener('pointerdown', pressed);
    window.removeEventListener('blur', stop);
    document.removeEventListener('visibilitychange', stop);
  };
}
