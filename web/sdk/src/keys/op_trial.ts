// The ops of one entry, applied beside the state (docs/protocol/room-keys.md, "The log"): what they
// yield is taken over only when the whole entry is valid. Mirrors src/roomlog/op_trial.h.

import { Role } from '../gen/alcove/v1/common_pb';
import type { AdmitOp, EjectOp, InviteOp, LogEntry, LogOp, RoleOp } from '../gen/alcove/v1/keys_pb';
import { kDepartAfterMs, kMaxInvites, kMaxRoster } from './bounds';
import { equal } from './bytes';
import type { Change, LogError, StageMember } from './log_types';
import { parseCertificate, readCertificate } from './objects';
import type { Certificate, Genesis } from './objects';
import type { RosterView } from './roster';
import type { StageState } from './stage_state';

type Verdict = LogError | null;

export class OpTrial {
  readonly changes: Change[] = [];
  #changed: StageState | null = null;
  readonly #author: Uint8Array;

  /** `body` is within its bounds; `roster` is unknown for who follows in short or chain. */
  constructor(
    private readonly genesis: Genesis,
    private readonly current: StageState,
    readonly roster: RosterView,
    private readonly body: LogEntry,
  ) {
    this.#author = body.author;
  }

  /** After an error nothing of this is of use. */
  apply(): Verdict {
    for (const [i, { op }] of this.body.ops.entries()) {
      const isResume = i === 0 && this.body.resume;
      // An author that an op before took off the stage writes no more.
      if (!isResume && this.state.findLeaf(this.#author) === null) return 'not_permitted';
      const verdict = this.#applyOp(op, isResume);
      if (verdict !== null) return verdict;
    }
    this.#succeed();
    return null;
  }

  get state(): StageState {
    return this.#changed ?? this.current;
  }

  #applyOp(op: LogOp['op'], isResume: boolean): Verdict {
    switch (op.case) {
      case 'admit':
        return this.#admit(op.value, isResume);
      case 'depart':
        return this.#depart(op.value.leaf);
      case 'eject':
        return this.#eject(op.value);
      case 'role':
        return this.#changeRole(op.value);
      case 'lock':
        return this.#setLocked(op.value.locked);
      case 'link':
        return this.#renewLink(op.value.generation);
      case 'invite':
        return this.#invite(op.value);
      default:
        return 'not_permitted';
    }
  }

  /**
   * Valid, not blocked, and its leaf is new. A listener's signature is checked by whoever has the roster:
   * others take it as it is, since only its hash enters what they know, and a joiner's chain may name many.
   */
  #checkAdmitted({ certificate: object, seat }: AdmitOp): Certificate | LogError {
    if (object === undefined) return 'bad_certificate';
    const { fingerprint } = this.genesis;
    let certificate = readCertificate(fingerprint, object);
    if (typeof certificate === 'string') return 'bad_certificate';
    const isListener = seat === 0 && this.state.findIdentity(certificate.identity) === null;
    if (!isListener || this.roster.isKnown) certificate = parseCertificate(fingerprint, object);
    if (typeof certificate === 'string') return 'bad_certificate';
    const { identity, leafHash } = certificate;
    if (this.state.blocked.has(identity)) return 'not_permitted';
    if (this.state.findLeaf(leafHash) !== null || this.roster.find(leafHash) !== null) {
      return 'not_permitted';
    }
    return certificate;
  }

  #admit(op: AdmitOp, isResume: boolean): Verdict {
    const { seat } = op;
    const certificate = this.#checkAdmitted(op);
    if (typeof certificate === 'string') return certificate;
    const member = this.state.findIdentity(certificate.identity);
    if (member !== null) {
      if (seat !== 0) return 'not_permitted';
      this.#replaceOnStage(member, certificate, isResume ? Role.MODERATOR : member.role);
      return null;
    }
    const old = this.roster.findIdentity(certificate.identity);
    const may = isResume || this.#mayEnter(certificate, old, seat);
    const hasSeat = seat !== 0 || isResume;
    if (!may || (hasSeat && this.state.seats.nextFree() !== seat)) return 'not_permitted';
    if (old !== null) this.roster.remove(old.leafHash);
    // Without the roster the identity may be in it.
    if (this.roster.isKnown && this.roster.size >= kMaxRoster) return 'not_permitted';
    this.#enter(certificate, old, seat, hasSeat ? Role.MODERATOR : Role.LISTENER);
    return null;
  }

  /** Other than by a resume; `old`: of the same identity in the audience. */
  #mayEnter({ identity }: Certificate, old: Certificate | null, seat: number): boolean {
    if (old !== null) return seat === 0;
    const isModerator = this.#authorIsModerator();
    if (this.roster.isKnown && this.state.locked && !isModerator) return false;
    return seat === 0 || (isModerator && this.state.authority.has(identity));
  }

  #mayDepart(member: StageMember): boolean {
    if (equal(member.certificate.leafHash, this.#author)) return true;
    if (this.#authorIsModerator() && member.role !== Role.MODERATOR) return true;
    return this.body.timeMs - member.lastEntryMs >= kDepartAfterMs;
  }

  #depart(leaf: Uint8Array): Verdict {
    if (this.roster.isKnown && this.roster.find(leaf) === null) return 'not_permitted';
    const member = this.state.findLeaf(leaf);
    if (member !== null) {
      if (!this.#mayDepart(member)) return 'not_permitted';
      this.#edit().leave(member.seat);
    }
    this.roster.remove(leaf);
    this.changes.push({ kind: 'departed', leaf, seat: member?.seat ?? 0, ejected: false });
    return null;
  }

  #eject({ leaf, identity }: EjectOp): Verdict {
    if (!this.#authorIsModerator() || equal(leaf, this.#author)) return 'not_permitted';
    if (equal(identity, this.genesis.host)) return 'not_permitted';
    if (this.roster.isKnown) {
      const certificate = this.roster.find(leaf);
      if (certificate === null || !equal(certificate.identity, identity)) return 'not_permitted';
    }
    const member = this.state.findLeaf(leaf);
    if (member !== this.state.findIdentity(identity)) return 'not_permitted';
    const state = this.#edit();
    if (member !== null) state.leave(member.seat);
    this.roster.remove(leaf);
    state.blocked.add(identity);
    state.authority.delete(identity);
    this.changes.push({ kind: 'departed', leaf, seat: member?.seat ?? 0, ejected: true });
    if (!state.linkVoid) {
      state.linkVoid = true;
      this.changes.push({ kind: 'link', generation: state.linkGeneration, voided: true });
    }
    return null;
  }

  #changeRole(op: RoleOp): Verdict {
    switch (op.role) {
      case Role.LISTENER:
        return this.#makeListener(op.leaf);
      case Role.SPEAKER:
        return this.#makeSpeaker(op);
      case Role.MODERATOR:
        return this.#makeModerator(op.leaf);
      default:
        return 'not_permitted';
    }
  }

  #makeListener(leaf: Uint8Array): Verdict {
    const member = this.state.findLeaf(leaf);
    if (member === null) return 'not_permitted';
    const { identity } = member.certificate;
    if (!equal(leaf, this.#author)) {
      if (!this.#authorIsModerator() || equal(identity, this.genesis.host)) return 'not_permitted';
    }
    this.#edit().leave(member.seat);
    this.#edit().authority.delete(identity);
    this.#changeOfRole(member, Role.LISTENER, false);
    return null;
  }

  #makeSpeaker({ leaf, seat, certificate: object }: RoleOp): Verdict {
    if (object === undefined) return 'bad_certificate';
    const certificate = parseCertificate(this.genesis.fingerprint, object);
    if (typeof certificate === 'string' || !equal(certificate.leafHash, leaf)) {
      return 'bad_certificate';
    }
    const { state } = this;
    const mayStand =
      this.#authorIsModerator() &&
      !state.blocked.has(certificate.identity) &&
      state.findIdentity(certificate.identity) === null &&
      state.seats.nextFree() === seat;
    if (!mayStand || (this.roster.isKnown && this.roster.find(leaf) === null)) {
      return 'not_permitted';
    }
    const member = this.#seat(certificate, seat, Role.SPEAKER);
    this.#changeOfRole({ ...member, role: Role.LISTENER }, Role.SPEAKER, false);
    return null;
  }

  #makeModerator(leaf: Uint8Array): Verdict {
    const member = this.state.findLeaf(leaf);
    if (!this.#authorIsModerator() || member?.role !== Role.SPEAKER) return 'not_permitted';
    this.#promote(member, false);
    return null;
  }

  #setLocked(locked: boolean): Verdict {
    if (!this.#authorIsModerator()) return 'not_permitted';
    this.#edit().locked = locked;
    this.changes.push({ kind: 'locked', locked });
    return null;
  }

  #renewLink(generation: number): Verdict {
    if (!this.#authorIsModerator() || generation !== this.state.linkGeneration + 1) {
      return 'not_permitted';
    }
    this.#edit().linkGeneration = generation;
    this.#edit().linkVoid = false;
    this.changes.push({ kind: 'link', generation, voided: false });
    return null;
  }

  #invite({ identities }: InviteOp): Verdict {
    if (!this.#authorIsModerator()) return 'not_permitted';
    const { invited } = this.#edit();
    for (const identity of identities) invited.add(identity);
    return invited.size > kMaxInvites ? 'not_permitted' : null;
  }

  /** When nobody on the stage is moderator, the member longest on it is made one. */
  #succeed(): void {
    if (this.state.hasModerator()) return;
    let longest: StageMember | null = null;
    // By seat, so of equally long ones the lower seat.
    for (const member of this.state.stage.values()) {
      if (longest === null || member.since < longest.since) longest = member;
    }
    if (longest !== null) this.#promote(longest, true);
  }

  #authorIsModerator(): boolean {
    return this.state.findLeaf(this.#author)?.role === Role.MODERATOR;
  }

  #edit(): StageState {
    this.#changed ??= this.current.clone();
    return this.#changed;
  }

  #promote(member: StageMember, byRule: boolean): void {
    this.#edit().set({ ...member, role: Role.MODERATOR });
    this.#edit().authority.add(member.certificate.identity);
    this.#changeOfRole(member, Role.MODERATOR, byRule);
  }

  #changeOfRole({ certificate, role, seat }: StageMember, after: Role, byRule: boolean): void {
    const leaf = certificate.leafHash;
    this.changes.push({ kind: 'role', leaf, before: role, after, seat, byRule });
  }

  #replaceOnStage(member: StageMember, certificate: Certificate, role: Role): void {
    const replaced = member.certificate.leafHash;
    this.roster.remove(replaced);
    this.roster.add(certificate);
    this.#edit().set({ ...member, certificate, role, lastEntryMs: this.body.timeMs });
    this.changes.push({ kind: 'admitted', certificate, replaced, seat: member.seat, role });
  }

  /** Into the roster, and with a seat onto the stage. */
  #enter(certificate: Certificate, old: Certificate | null, seat: number, role: Role): void {
    this.roster.add(certificate);
    if (seat !== 0) this.#seat(certificate, seat, role);
    this.changes.push({
      kind: 'admitted',
      certificate,
      replaced: old?.leafHash ?? null,
      seat,
      role,
    });
  }

  /** `seat` is the next free one. */
  #seat(certificate: Certificate, seat: number, role: Role): StageMember {
    const { n, timeMs } = this.body;
    const member = { seat, role, certificate, since: n, lastEntryMs: timeMs };
    this.#edit().seats.take();
    this.#edit().set(member);
    return member;
  }
}
