import {
  ElementAudioSink,
  Reaction,
  RoomClient,
  isOnStage,
  isOver,
  toAlcoveError,
} from '@alcove/sdk';
import type {
  CommandInit,
  KeyWarningCode,
  Member,
  RoomNotice,
  RoomView,
  ServerConfig,
  VerifiedMember,
} from '@alcove/sdk';
import { api } from './account.svelte';
import { errorText } from './errors';
import { t, tn } from './i18n.svelte';
import type { MessageKey } from './i18n.svelte';
import { shownWarnings, warningKey } from './keys';
import { kNoLevels } from './levels';
import { live } from './live.svelte';
import { manifest } from './manifest.svelte';
import { createWorker } from './worker';

export interface Toast {
  id: number;
  text: string;
}

export interface ShownReaction {
  id: number;
  reaction: Reaction;
  memberId: number;
}

const kToastMs = 5000;
const kReactionMs = 2600;
const kMaxToasts = 3;

export const reactionNames: Record<number, MessageKey> = {
  [Reaction.CLAP]: 'reaction.clap',
  [Reaction.HEART]: 'reaction.heart',
  [Reaction.LAUGH]: 'reaction.laugh',
  [Reaction.WOW]: 'reaction.wow',
  [Reaction.THUMBS_UP]: 'reaction.thumbsUp',
};

/** One visit to a room, for the components: the SDK's client with what is shown for a moment. */
export class Visit {
  readonly client: RoomClient;
  view = $state.raw<RoomView>() as RoomView;
  levels = $state.raw(kNoLevels);
  toasts = $state.raw<Toast[]>([]);
  reactions = $state.raw<ShownReaction[]>([]);
  #dismissed = $state.raw<string[]>([]);
  #nextId = 1;
  readonly #stop: (() => void)[];
  #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(roomId: string, config: ServerConfig) {
    this.client = new RoomClient({
      api,
      config,
      roomId,
      manifest,
      sink: new ElementAudioSink(document.body),
      createWorker,
    });
    this.#stop = [
      this.client.view.subscribe((view) => {
        this.#viewChanged(view);
      }),
      this.client.levels.subscribe((levels) => {
        this.levels = levels;
      }),
      this.client.onNotice((notice) => {
        this.#notice(notice);
      }),
    ];
  }

  get room() {
    return this.view.room;
  }

  get self(): Member | undefined {
    return this.view.room.self;
  }

  get onStage(): boolean {
    return isOnStage(this.self);
  }

  get over(): boolean {
    return isOver(this.view.phase);
  }

  get warnings() {
    return shownWarnings(this.view.keys.warnings, this.#dismissed);
  }

  /** The person has read the warnings of this code; they come again when they arise again. */
  dismiss(code: KeyWarningCode): void {
    const read = this.view.keys.warnings.filter((warning) => warning.code === code);
    this.#dismissed = [...this.#dismissed, ...read.map(warningKey)];
  }

  /** What the room's log says of a member of the stage. */
  verified(memberId: number): VerifiedMember | undefined {
    return this.view.keys.stage.find((member) => memberId !== 0 && member.memberId === memberId);
  }

  /** The name in the log wherever the log is known here, the server's word elsewhere. */
  nameOf(member: Member): string {
    return this.verified(member.memberId)?.name ?? member.displayName;
  }

  may(command: string): boolean {
    return this.view.room.allowedCommands.includes(command);
  }

  /** Gives a command; a refusal is said in words. True where it was taken. */
  async command(command: CommandInit): Promise<boolean> {
    return this.attempt(() => this.client.command(command));
  }

  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (thrown) {
      // A banner says that an own entry of the log did not come back.
      const shown = toAlcoveError(thrown).reason === 'keys.not_acknowledged';
      if (!shown) this.say(errorText(thrown));
      return false;
    }
  }

  /** Shown for a moment and read out. */
  say(text: string): void {
    const id = this.#nextId++;
    this.toasts = [...this.toasts, { id, text }].slice(-kMaxToasts);
    live.announce(text);
    this.#later(kToastMs, () => {
      this.toasts = this.toasts.filter((toast) => toast.id !== id);
    });
  }

  close(): void {
    for (const stop of this.#stop) stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.client.close();
  }

  #viewChanged(view: RoomView): void {
    const before = this.view as RoomView | undefined;
    this.view = view;
    if (before?.phase === 'reconnecting' && view.phase === 'connected') {
      this.say(t('notice.reconnected'));
    }
    this.#forgetDismissed(view);
    if (before?.phase === 'connected' && view.phase === 'reconnecting') {
      live.announce(t('banner.reconnecting'));
    }
    const lostMicrophone = before?.hasMicrophone === true && !view.hasMicrophone;
    if (lostMicrophone && isOnStage(view.room.self) && !isOver(view.phase)) {
      this.say(t('notice.microphoneLost'));
    }
  }

  #forgetDismissed({ keys }: RoomView): void {
    if (this.#dismissed.length === 0) return;
    const held = keys.warnings.map(warningKey);
    this.#dismissed = this.#dismissed.filter((key) => held.includes(key));
  }

  #notice(notice: RoomNotice): void {
    switch (notice.kind) {
      case 'reactions':
        for (const { reaction, memberIds } of notice.reactions) {
          for (const memberId of memberIds) this.#showReaction(reaction, memberId);
        }
        return;
      case 'left-stage':
      case 'joined-stage':
      case 'invited':
        // Seen on the stage itself; read out for those who do not see it.
        live.announce(this.#textOf(notice));
        return;
      case 'hands-waiting':
      case 'invitation-withdrawn':
        return;
      default:
        this.say(this.#textOf(notice));
    }
  }

  #showReaction(reaction: Reaction, memberId: number): void {
    const id = this.#nextId++;
    this.reactions = [...this.reactions, { id, reaction, memberId }].slice(-40);
    this.#later(kReactionMs, () => {
      this.reactions = this.reactions.filter((shown) => shown.id !== id);
    });
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      action();
    }, ms);
    this.#timers.push(timer);
  }

  #textOf(notice: RoomNotice): string {
    const name = 'member' in notice ? this.nameOf(notice.member) : '';
    return noticeText(notice, name);
  }
}

function noticeText(notice: RoomNotice, name: string): string {
  switch (notice.kind) {
    case 'joined-stage':
      return t('notice.joinedStage', { name });
    case 'left-stage':
      return t('notice.leftStage', { name });
    case 'hand-raised':
      return t('notice.handRaised', { name });
    case 'hands-waiting':
      return tn('notice.handsWaiting', notice.count);
    case 'invited':
      return t('notice.invited');
    case 'on-stage':
      return t('notice.onStage');
    case 'moved-to-audience':
      return t('notice.movedToAudience');
    case 'made-moderator':
      return t('notice.madeModerator');
    case 'muted':
      return t('notice.muted');
    case 'locked':
      return t(notice.locked ? 'notice.locked' : 'notice.unlocked');
    default:
      return '';
  }
}
