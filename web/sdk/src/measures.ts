/** Marks of the User Timing API, for whoever measures a join or a reconnect from outside. */
export type Measure =
  | 'join-click'
  | 'joined'
  | 'connected'
  | 'first-frame'
  | 'first-audio'
  | 'reconnecting'
  | 'reconnected';

export function mark(measure: Measure): void {
  performance.mark(`alcove:${measure}`);
}
