export interface NetworkEvents {
  /** Another network, or the same one again. */
  onChange(): void;
  onOffline(): void;
  /** Something about the network changed; the path may be as before. */
  onDoubt(): void;
}

type NetworkInformation = EventTarget & { type?: string };

/** Tells of changes of the network that the browser knows. Returns what stops it. */
export function watchNetwork(events: NetworkEvents): () => void {
  if (typeof window === 'undefined') return () => undefined;
  const information = (navigator as Navigator & { connection?: NetworkInformation }).connection;
  let type = information?.type;
  const online = () => {
    events.onChange();
  };
  const offline = () => {
    events.onOffline();
  };
  const changed = () => {
    // The event comes for every new estimate of speed too.
    const before = type;
    type = information?.type;
    if (type === before) events.onDoubt();
    else if (type !== 'none') events.onChange();
  };
  window.addEventListener('online', online);
  window.addEventListener('offline', offline);
  information?.addEventListener('change', changed);
  return () => {
    window.removeEventListener('online', online);
    window.removeEventListener('offline', offline);
    information?.removeEventListener('change', changed);
  };
}
