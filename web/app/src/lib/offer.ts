const kReadKey = 'alcove.notice';

interface Notice {
  textEn: string;
  textFr: string;
}

/** Another text than the one that was read is a new notice. */
export function isNoticeRead(notice: Notice): boolean {
  try {
    return localStorage.getItem(kReadKey) === nameOf(notice);
  } catch {
    return false;
  }
}

export function readNotice(notice: Notice): void {
  try {
    localStorage.setItem(kReadKey, nameOf(notice));
  } catch {
    // Read for this page then.
  }
}

function nameOf({ textEn, textFr }: Notice): string {
  return JSON.stringify([textEn, textFr]);
}
