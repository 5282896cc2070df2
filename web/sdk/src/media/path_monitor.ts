import type { MediaSnapshot } from './stats';

const kOutstandingMs = 1000;
const kFlowStoppedMs = 600;
/** Packets a second that make a flow whose end is noticed; RTCP alone does not. */
const kFlowRate = 10;

/**
 * Notices a dead path before the browser does (which takes 5 s and more), from snapshots taken some five
 * times a second. `suspect` means: ask by another way, since a talk spurt's end looks the same.
 * `dead` means: checks are sent and not answered.
 */
export class PathMonitor {
  #packets = 0;
  #responses = 0;
  #requests = 0;
  #progressAtMs = 0;
  #outstandingSinceMs: number | null = null;
  #windowAtMs = 0;
  #windowPackets = 0;
  #flowing = false;

  reset(nowMs: number): void {
    this.#packets = 0;
    this.#responses = 0;
    this.#requests = 0;
    this.#progressAtMs = nowMs;
    this.#outstandingSinceMs = null;
    this.#windowAtMs = nowMs;
    this.#windowPackets = 0;
    this.#flowing = false;
  }

  push(snapshot: MediaSnapshot, nowMs: number): 'alive' | 'suspect' | 'dead' {
    const pair = snapshot.pairs.find((candidate) => candidate.id === snapshot.selectedPairId);
    const responses = pair?.responses ?? 0;
    const requests = pair?.requests ?? 0;
    const arrived = snapshot.packetsReceived - this.#packets;
    // Counters that go back belong to another pair or stream: take them as new.
    const moved = arrived !== 0 || responses !== this.#responses;
    const asked = requests > this.#requests;
    this.#packets = snapshot.packetsReceived;
    this.#responses = responses;
    this.#requests = requests;
    this.#measureFlow(Math.max(0, arrived), nowMs);
    if (moved) {
      this.#progressAtMs = nowMs;
      this.#outstandingSinceMs = null;
      return 'alive';
    }
    if (asked) this.#outstandingSinceMs ??= nowMs;
    if (this.#outstandingSinceMs !== null && nowMs - this.#outstandingSinceMs >= kOutstandingMs) {
      return 'dead';
    }
    if (this.#flowing && nowMs - this.#progressAtMs >= kFlowStoppedMs) {
      this.#flowing = false;
      return 'suspect';
    }
    return 'alive';
  }

  #measureFlow(arrived: number, nowMs: number): void {
    this.#windowPackets += arrived;
    const elapsed = nowMs - this.#windowAtMs;
    if (elapsed < 1000) return;
    if ((this.#windowPackets * 1000) / elapsed >= kFlowRate) this.#flowing = true;
    this.#windowAtMs = nowMs;
    this.#windowPackets = 0;
  }
}
