import type { Attachment } from 'svelte/attachments';

let firstPage = true;

/** For a page's heading: after a navigation the focus begins there, as it does on a new document. */
export const pageHeading: Attachment<HTMLElement> = (node) => {
  node.tabIndex = -1;
  if (!firstPage) node.focus({ preventScroll: true });
  firstPage = false;
};

/** Sets a custom property by CSSOM: the policy allows no style attributes. */
export function property(name: string, value: number): Attachment<HTMLElement> {
  return (node) => {
    node.style.setProperty(name, value.toFixed(3));
  };
}
