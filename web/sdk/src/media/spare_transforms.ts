// A worker that is there before a room needs it: it checks the signatures of the manifest, and the first room that is
// entered takes it over, already loaded.

import { TransformHost } from './transform_host';

let spare: TransformHost | null = null;

export function spareTransforms(createWorker: () => Worker): TransformHost {
  spare ??= new TransformHost(createWorker());
  return spare;
}

/** What it is still asked for it answers: its channel goes with it. */
export function takeTransforms(createWorker: () => Worker): TransformHost {
  const taken = spare ?? new TransformHost(createWorker());
  spare = null;
  return taken;
}
