// The room as it is shown: what the server says, as far as the room's log agrees. Who is on the stage, as what
// and under which name, is the log's word alone.

import { create } from '@bufbuild/protobuf';
import { Role } from '../gen/alcove/v1/common_pb';
import { MemberSchema } from '../gen/alcove/v1/rooms_pb';
import type { Member, RoomState } from '../gen/alcove/v1/rooms_pb';
import { toBase64Url } from '../keys/bytes';
import type { KeysSnapshot } from '../keys/messages';
import type { KeyWarning, VerifiedMember } from '../keys/view';

/** The log and the server's word of it may come apart for as long as this. */
const kGraceMs = 5_000;
/** Numbers of stage members that the server does not show; its own are small. */
const kUnlistedMember = 0x4000_0000;

export interface VerifiedRoom {
  room: RoomState;
  /** What the server shows and the log does not know. */
  warnings: KeyWarning[];
  /** When to look again; Infinity where both agree. */
  againMs: number;
}

export function leafOf(member: Member): string {
  return toBase64Url(member.leaf);
}

/** Remembers since when the server's word and the log come apart. */
export class RoomVerifier {
  readonly #since = new Map<string, number>();

  /** `snapshot`: the last one of a member that was let in; null before. */
  verify(room: RoomState, snapshot: KeysSnapshot | null, nowMs: number): VerifiedRoom {
    if (snapshot === null) return { room, warnings: [], againMs: Infinity };
    const { view } = snapshot;
    const apart = new Set<string>();
    const warnings: KeyWarning[] = [];
    const byLeaf = new Map(view.stage.map((member) => [member.leaf, member]));
    const isLate = (name: string) => {
      apart.add(name);
      const since = this.#since.get(name) ?? nowMs;
      this.#since.set(name, since);
      return nowMs - since >= kGraceMs;
    };

    const stage: Member[] = [];
    for (const member of room.stage) {
      const verified = byLeaf.get(leafOf(member));
      if (verified !== undefined) {
        byLeaf.delete(verified.leaf);
        stage.push(asVerified(member, verified));
      } else if (isLate(`server ${leafOf(member)}`)) {
        warnings.push({
          code: 'failed_check',
          name: member.displayName,
          detail: 'the server shows somebody on the stage whom the log does not know',
        });
      }
    }
    for (const verified of byLeaf.values()) {
      const known = listed(room).find((member) => leafOf(member) === verified.leaf);
      if (known !== undefined) stage.push(asVerified(known, verified));
      else if (isLate(`log ${verified.leaf}`)) stage.push(unlisted(verified));
    }

    for (const name of this.#since.keys()) if (!apart.has(name)) this.#since.delete(name);
    const againMs = Math.min(
      ...[...this.#since.values()].map((since) => since + kGraceMs).filter((at) => at > nowMs),
    );
    const self = room.self === undefined ? {} : { self: verifiedSelf(room.self, view.stage) };
    return { room: { ...room, ...self, stage, locked: view.locked }, warnings, againMs };
  }
}

function verifiedSelf(self: Member, stage: VerifiedMember[]): Member {
  const verified = stage.find(({ device }) => device === 'self');
  if (verified !== undefined) return asVerified(self, verified);
  return { ...self, role: Role.LISTENER, seat: 0 };
}

function asVerified(member: Member, { name, role, seat, guest }: VerifiedMember): Member {
  const username = guest ? '' : member.username;
  return { ...member, displayName: name, username, role, seat, guest };
}

/** Somebody whom the log has on the stage and the server does not show: heard all the same. */
function unlisted({ name, role, seat, guest }: VerifiedMember): Member {
  return create(MemberSchema, {
    ...{ displayName: name, role, seat, guest, connected: true },
    memberId: kUnlistedMember + seat,
  });
}

function listed({ self, audienceSample, raisedHands }: RoomState): Member[] {
  return [...(self === undefined ? [] : [self]), ...audienceSample, ...raisedHands];
}

/** Members' numbers and leaves, as the server gives them. */
export class MemberNumbers {
  readonly #leaves = new Map<number, string>();
  readonly #numbers = new Map<string, number>();

  note(members: readonly Member[]): void {
    for (const member of members) {
      if (member.leaf.length === 0) continue;
      const leaf = leafOf(member);
      this.#leaves.set(member.memberId, leaf);
      this.#numbers.set(leaf, member.memberId);
    }
  }

  noteRoom(room: RoomState): void {
    this.note([...room.stage, ...listed(room)]);
  }

  leaf(memberId: number, stage: readonly VerifiedMember[]): string | undefined {
    const seat = memberId - kUnlistedMember;
    return seat > 0
      ? stage.find((member) => member.seat === seat)?.leaf
      : this.#leaves.get(memberId);
  }

  number(leaf: string): number {
    return this.#numbers.get(leaf) ?? 0;
  }
}
