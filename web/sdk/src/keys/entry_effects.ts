// What an entry means beyond the state and the epochs: who has left, the link, and what to tell of it.

import { Role, RoomKind } from '../gen/alcove/v1/common_pb';
import { Advance } from '../gen/alcove/v1/keys_pb';
import type { LogOp } from '../gen/alcove/v1/keys_pb';
import type { Advancing } from './advancing';
import { equal } from './bytes';
import { linkAad, openBox } from './epochs';
import type { Applied } from './follower';
import type { LogState } from './log_state';
import type { Change } from './log_types';
import type { Shared } from './shared';
import type { InFlight } from './writer';

const kEarlyMs = 25_000;
const kTakenOverMs = 1_000;
const kAudienceMs = 60_000;

export class EntryEffects {
  constructor(
    private readonly shared: Shared,
    private readonly advancing: Advancing,
  ) {}

  /** True where the entry ends this join. */
  applied(nowMs: number, applied: Applied, log: LogState, written: InFlight | null): boolean {
    const { entry, changes } = applied;
    for (const { op } of entry.body.ops) this.#takeLink(op, log, written);
    let out = false;
    for (const change of changes) {
      if (change.kind === 'departed') {
        this.#departed(nowMs, change, applied);
        out ||= this.#isOwn(change.leaf);
      } else if (change.kind === 'admitted' && change.replaced !== null) {
        out ||= this.#isOwn(change.replaced);
      }
    }
    return out;
  }

  #departed(
    nowMs: number,
    change: Extract<Change, { kind: 'departed' }>,
    { entry, gone, author }: Applied,
  ): void {
    const member = gone.find(({ certificate }) => equal(certificate.leafHash, change.leaf));
    const itself = equal(entry.body.author, change.leaf);
    const { duties, watch } = this.advancing;
    if (member?.role === Role.MODERATOR && !itself && !change.ejected) {
      if (nowMs - watch.heardMs(member.seat) < kEarlyMs) {
        const name = member.certificate.displayName;
        this.shared.warnings.raise(nowMs, 'early_depart', name);
      }
    }
    if (member !== undefined) watch.forget(member.seat);
    if (entry.body.advance === Advance.FRESH) return;
    const authorSeat = author?.seat ?? 0;
    if (member !== undefined && itself) duties.wantFresh('left', nowMs, member.seat);
    else if (member !== undefined || change.ejected) {
      duties.wantFresh('removed', nowMs + kTakenOverMs, authorSeat);
    } else if (this.shared.genesis.body.kind === RoomKind.CLOSED) {
      duties.wantFresh('audience', nowMs + kAudienceMs, authorSeat);
    }
  }

  /** The link's secret, where the entry brings another one to this client. */
  #takeLink(op: LogOp['op'], log: LogState, written: InFlight | null): void {
    const { link, own } = this.shared;
    const { leafHash } = own.certificate;
    if (op.case === 'link') {
      const box = op.value.boxes.find(({ leaf }) => equal(leaf, leafHash))?.box;
      link.secret = written?.plan.linkSecret ?? this.#openLink(box, op.value.generation);
      link.generation = op.value.generation;
      link.certain = link.secret !== null;
    } else if (op.case === 'role' && op.value.linkBox.length > 0) {
      const current = link.certain && link.generation === log.linkGeneration;
      if (current || !equal(op.value.leaf, leafHash)) return;
      const secret = this.#openLink(op.value.linkBox, log.linkGeneration);
      if (secret === null) return;
      link.secret = secret;
      link.generation = log.linkGeneration;
      link.certain = true;
    }
  }

  #openLink(box: Uint8Array | undefined, generation: number): Uint8Array | null {
    if (box === undefined) return null;
    const { genesis, own } = this.shared;
    const aad = linkAad(generation);
    const { leafHash } = own.certificate;
    return openBox('link', genesis.fingerprint, leafHash, own.encryptionKey, aad, box);
  }

  #isOwn(leaf: Uint8Array): boolean {
    return equal(leaf, this.shared.own.certificate.leafHash);
  }
}
