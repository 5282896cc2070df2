import { AlcoveError } from '../errors';
import type { Readable } from '../observable';
import { isOnStage } from './reducer';
import { isOver } from './view';
import type { RoomView } from './view';

/** The inviting client is asked at once, others after half a second each. */
const kSeatMs = 10_000;

/**
 * Until the log has this member on the stage, or the visit is over.
 * @throws AlcoveError where no seat comes
 */
export function untilSeated(view: Readable<RoomView>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop: () => void = () => undefined;
    const timer = setTimeout(() => {
      stop();
      reject(new AlcoveError('unavailable', 'keys.no_seat', 'No seat was given in time'));
    }, kSeatMs);
    stop = view.subscribe(({ room, phase }) => {
      if (!isOnStage(room.self) && !isOver(phase)) return;
      clearTimeout(timer);
      // The first call comes before there is anything to stop.
      queueMicrotask(() => {
        stop();
      });
      resolve();
    });
  });
}
