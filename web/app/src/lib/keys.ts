import { Role } from '@alcove/sdk';
import type {
  KeyWarning,
  KeyWarningCode,
  KeysView,
  Member,
  RoomState,
  VerifiedMember,
} from '@alcove/sdk';

export function hexOf(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The room code in its groups of five digits. */
export function codeGroups(code: string): string[] {
  return code.replace(/\D/g, '').match(/\d{1,5}/g) ?? [];
}

/** Worst first: the order in which warnings are shown. */
const kCodes: readonly KeyWarningCode[] = [
  'fork',
  'failed_check',
  'stale',
  'unknown_epoch',
  'faulty_author',
  'not_same_log',
  'device_changed',
  'early_depart',
  'clock_ahead',
  'not_acknowledged',
];
/** Said once: whoever has read it can put it away. */
const kDismissible: readonly KeyWarningCode[] = ['device_changed', 'early_depart'];

/** All that hold now of one code. */
export interface ShownWarning {
  code: KeyWarningCode;
  /** Of whom; each name once. */
  names: string[];
  serious: boolean;
  dismissible: boolean;
}

/** The room cannot be trusted any more. */
export function isSerious(code: KeyWarningCode): boolean {
  return code === 'fork' || code === 'failed_check';
}

export function warningKey({ code, name }: KeyWarning): string {
  return `${code} ${name}`;
}

/** What is left to show of the warnings when those that were put away are not. */
export function shownWarnings(
  warnings: readonly KeyWarning[],
  dismissed: readonly string[],
): ShownWarning[] {
  return kCodes.flatMap((code) => {
    const dismissible = kDismissible.includes(code);
    const ofCode = warnings.filter(
      (warning) =>
        warning.code === code && !(dismissible && dismissed.includes(warningKey(warning))),
    );
    if (ofCode.length === 0) return [];
    const names = [...new Set(ofCode.map(({ name }) => name).filter((name) => name !== ''))];
    return [{ code, names, serious: isSerious(code), dismissible }];
  });
}

/** Stage first in the order of seats, then listeners by name. */
export function sortedRoster(members: readonly VerifiedMember[], locale: string): VerifiedMember[] {
  const { compare } = new Intl.Collator(locale);
  const place = ({ seat }: VerifiedMember) => (seat === 0 ? Infinity : seat);
  return [...members].sort((a, b) =>
    place(a) === place(b) ? compare(a.name, b.name) : place(a) - place(b),
  );
}

/** Those whose name has the text in it, whatever its case and accents. */
export function foundIn(members: readonly VerifiedMember[], text: string): VerifiedMember[] {
  const plain = (name: string) => name.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();
  const wanted = plain(text.trim());
  return members.filter(({ name }) => plain(name).includes(wanted));
}

/** A tile of the stage. Who it is comes from the room's log; whether muted or away, from the server. */
export interface OnStage {
  member: Member;
  name: string;
  moderator: boolean;
  deviceChanged: boolean;
}

export function stageOf(keys: KeysView, room: RoomState): OnStage[] {
  return room.stage.map((member) => {
    const verified = keys.stage.find(({ seat }) => seat === member.seat);
    return {
      member,
      name: verified?.name ?? member.displayName,
      moderator: (verified?.role ?? member.role) === Role.MODERATOR,
      deviceChanged: verified?.device === 'changed',
    };
  });
}
