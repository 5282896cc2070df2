import TransformWorker from '@alcove/sdk/transform-worker?worker';

export function createWorker(): Worker {
  return new TransformWorker();
}
