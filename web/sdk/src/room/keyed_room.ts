import type { KeyCommands, VerifiedMember } from '../keys/view';
import type { RoomKeysHost } from './room_keys_host';

/** What a room's client offers of its keys: each command is an entry of the room's log, once it is kept. */
export abstract class KeyedRoom implements KeyCommands {
  protected abstract readonly keys: RoomKeysHost;

  abstract inviteToStage(memberId: number): Promise<void>;

  roster(): Promise<VerifiedMember[]> {
    return this.keys.roster();
  }

  exportLog(): Promise<Uint8Array> {
    return this.keys.exportLog();
  }

  shareLink(): string {
    return this.keys.shareLink();
  }

  renewLink(): Promise<void> {
    return this.keys.command({ kind: 'renew-link' });
  }

  ownIdentity(): Promise<string> {
    return this.keys.ownIdentity();
  }

  inviteIdentities(keys: string[]): Promise<void> {
    return this.keys.command({ kind: 'invite', identities: keys });
  }

  eject(memberId: number): Promise<void> {
    return this.keys.commandFor(memberId, 'eject');
  }

  moveToAudience(memberId: number): Promise<void> {
    return this.keys.commandFor(memberId, 'to-audience');
  }

  stepDown(): Promise<void> {
    return this.keys.command({ kind: 'step-down' });
  }

  makeModerator(memberId: number): Promise<void> {
    return this.keys.commandFor(memberId, 'make-moderator');
  }

  setLocked(locked: boolean): Promise<void> {
    return this.keys.command({ kind: 'lock', locked });
  }
}
