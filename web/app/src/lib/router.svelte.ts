import { readLinkFragment } from '@alcove/sdk';
import { live } from './live.svelte';

export type Route =
  | { page: 'hallway' }
  | { page: 'login' }
  | { page: 'register' }
  | { page: 'room'; roomId: string }
  | { page: 'settings' }
  | { page: 'sessions' }
  | { page: 'places' }
  | { page: 'lost' };

export function parseRoute(pathname: string): Route {
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
  switch (path) {
    case '/':
      return { page: 'hallway' };
    case '/login':
      return { page: 'login' };
    case '/register':
      return { page: 'register' };
    case '/settings':
      return { page: 'settings' };
    case '/settings/places':
      return { page: 'places' };
    case '/settings/sessions':
      return { page: 'sessions' };
  }
  const room = /^\/r\/([A-Za-z0-9_-]{1,64})$/.exec(path);
  return room?.[1] === undefined ? { page: 'lost' } : { page: 'room', roomId: room[1] };
}

/** A room's link carries its secret after the "#": out of the address bar before anything is shown. */
function readRoute(): { route: Route; linkRead: boolean } {
  const route = parseRoute(location.pathname);
  return { route, linkRead: route.page === 'room' && readLinkFragment(location) };
}

class Router {
  route = $state.raw<Route>(readRoute().route);
  /** Counts the links that were opened outside a room: the room's page begins anew with each. */
  linksRead = $state(0);
  /** Where to go after signing in. */
  returnTo = '/';

  constructor() {
    // Also when another link of the same room is put into the address bar.
    window.addEventListener('popstate', () => {
      this.#read();
    });
    document.addEventListener('click', (event) => {
      this.#followLink(event);
    });
  }

  go(path: string): void {
    history.pushState(null, '', path);
    this.#read();
    window.scrollTo(0, 0);
  }

  #read(): void {
    const { route, linkRead } = readRoute();
    this.route = route;
    if (linkRead && !live.inRoom) this.linksRead += 1;
  }

  /** Links inside the app are ordinary links: they open in a new tab as people expect. */
  #followLink(event: MouseEvent): void {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!plain || event.altKey || event.defaultPrevented) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== '') return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || parseRoute(url.pathname).page === 'lost') return;
    event.preventDefault();
    this.go(url.pathname + url.hash);
  }
}

export const router = new Router();
