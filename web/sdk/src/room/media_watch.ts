import type { RoomState } from '../gen/alcove/v1/rooms_pb';
import type { MediaConnection } from '../media/connection';
import { PathMonitor } from '../media/path_monitor';
import { diagnose } from '../media/stats';
import type { Diagnosis, MediaSnapshot } from '../media/stats';
import { Writable } from '../observable';
import { Speakers } from './speakers';

const kPollMs = 200;
const kDiagnoseAfterMs = 5_000;
const kDiagnoseEveryMs = 1_000;
/** Something arrived this recently: the path is fine, whatever else broke. */
const kFreshMs = 1_000;

export interface MediaWatchHost {
  connection(): MediaConnection | null;
  room(): RoomState;
  /** The own level, 0 to 1, while it is sent; null otherwise. */
  ownLevel(): number | null;
  welcomed(): boolean;
  recovering(): boolean;
  onDead(): void;
  onSuspect(): void;
  onDiagnosis(diagnosis: Diagnosis | null): void;
}

/** Looks at the connection's statistics five times a second: levels, the path's health, the diagnosis. */
export class MediaWatch {
  readonly levels = new Writable<ReadonlyMap<number, number>>(new Map());
  readonly #speakers = new Speakers();
  readonly #monitor = new PathMonitor();
  #timer: ReturnType<typeof setInterval> | undefined;
  #polling = false;
  #heardAny = false;
  #joinedAtMs = 0;
  #diagnosedAtMs = 0;
  #packets = 0;
  #arrivedAtMs = 0;

  constructor(private readonly host: MediaWatchHost) {}

  /** At each join. */
  start(): void {
    const now = performance.now();
    this.#joinedAtMs = now;
    this.#speakers.clear();
    this.#monitor.reset(now);
    this.#timer ??= setInterval(() => {
      void this.poll();
    }, kPollMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.levels.set(new Map());
  }

  heard(slot: number, seat: number): void {
    this.#heardAny = true;
    this.#speakers.heard(slot, seat, performance.now());
  }

  /** After a recovery: what was counted belongs to the path before. */
  resetPath(): void {
    this.#monitor.reset(performance.now());
  }

  get fresh(): boolean {
    return performance.now() - this.#arrivedAtMs < kFreshMs;
  }

  async poll(): Promise<void> {
    const connection = this.host.connection();
    if (connection === null || this.#polling) return;
    this.#polling = true;
    try {
      const snapshot = await connection.snapshot();
      if (connection === this.host.connection()) this.#take(snapshot, connection);
    } finally {
      this.#polling = false;
    }
  }

  #take(snapshot: MediaSnapshot, connection: MediaConnection): void {
    const now = performance.now();
    if (snapshot.packetsReceived !== this.#packets) this.#arrivedAtMs = now;
    this.#packets = snapshot.packetsReceived;
    this.#updateLevels(snapshot, now);
    this.#updateDiagnosis(snapshot, now);
    if (connection.state !== 'connected' || this.host.recovering()) return;
    const verdict = this.#monitor.push(snapshot, now);
    if (verdict === 'dead') this.host.onDead();
    if (verdict === 'suspect') this.host.onSuspect();
  }

  #updateLevels(snapshot: MediaSnapshot, now: number): void {
    const room = this.host.room();
    const levels = this.#speakers.levels(
      room,
      snapshot.slots.map((slot) => slot.level),
      now,
    );
    const own = this.host.ownLevel();
    if (room.self !== undefined && own !== null && own > 0) levels.set(room.self.memberId, own);
    if (levels.size > 0 || this.levels.value.size > 0) this.levels.set(levels);
  }

  #updateDiagnosis(snapshot: MediaSnapshot, now: number): void {
    if (now - this.#joinedAtMs < kDiagnoseAfterMs) return;
    if (now - this.#diagnosedAtMs < kDiagnoseEveryMs) return;
    this.#diagnosedAtMs = now;
    const input = { snapshot, welcomed: this.host.welcomed(), heard: this.#heardAny };
    this.host.onDiagnosis(diagnose(input));
  }
}
