import { AlcoveError } from '../errors';

/** stray: the browser found it by itself, and may have sent there before it was seen. */
export type EgressReason =
  'egress.unlisted' | 'egress.malformed' | 'egress.foreign' | 'egress.stray';

/** Something would have left for a place that the server has not promised. */
export class EgressError extends AlcoveError {
  /** `to`: the address, name or URL, for people to read; cut to a bounded length. */
  constructor(reason: EgressReason, to: string) {
    const place = to.slice(0, 100);
    super('failed_precondition', reason, `Nothing is sent to ${place}`, 0, 0, { address: place });
    this.name = 'EgressError';
  }
}
