import { ManifestKeeper, WebPinStore, spareTransforms } from '@alcove/sdk';
import { api, localArea } from './account.svelte';
import { createWorker } from './worker';

/** The server's list of places, for the whole page. */
export const manifest = new ManifestKeeper({
  source: api,
  pins: new WebPinStore(localArea()),
  verify: (key, message, signature) =>
    spareTransforms(createWorker).keys.verify({ key, message, signature }),
});

class Places {
  state = $state.raw(manifest.state.value);
  /** The person is asked to decide about a key or a log. */
  asking = $state(false);
  #asked = false;

  constructor() {
    manifest.state.subscribe((state) => {
      this.state = state;
      if (state.phase !== 'stopped') this.#asked = false;
    });
  }

  /** Nobody can begin or join anything now. */
  get blocked(): boolean {
    return this.state.phase === 'failed' || this.state.phase === 'stopped';
  }

  /** The question comes by itself, once. */
  ask(): void {
    if (!this.#asked) this.asking = true;
    this.#asked = true;
  }

  again(): void {
    this.asking = true;
  }

  leave(): void {
    this.asking = false;
  }

  trust(): void {
    this.asking = false;
    manifest.trust();
  }
}

export const places = new Places();

// Before anything else is asked for: this is the first of the page's modules that asks.
void manifest.load();
