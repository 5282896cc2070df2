// Voice activity on the raw microphone: block energy against a noise floor that follows the room. Decides
// when to stop sending, so it errs to the side of sending: a cut word is worse than a noise that is sent.

export interface VoiceActivityOptions {
  sampleRate: number;
  /** Above the floor by this much is voice. */
  onsetDb?: number;
  /** Voice goes on while above the floor by this much. */
  holdDb?: number;
  /** Never voice below this level, whatever the floor: digital silence has a floor of nothing. */
  minimumDb?: number;
  /** How long after the last voiced block sending goes on. At least 1 s: pauses inside speech are shorter. */
  hangoverMs?: number;
}

const kSilenceDb = -100;
/** The floor falls to a quieter room at once, and rises slowly, so that speech does not raise it. */
const kFloorRiseDbPerSecond = 3;
/** While voice goes on without a break the floor still rises, so that a fan is not voice for ever. */
const kFloorRiseVoicedDbPerSecond = 1;
const kFloorStartDb = -60;
const kFloorLowDb = -80;
const kFloorHighDb = -35;
/** Blocks are smoothed a little: one crackle of 2.7 ms is not an onset, 10 ms of speech is. */
const kSmoothingMs = 8;

export class VoiceActivity {
  readonly #onsetDb: number;
  readonly #holdDb: number;
  readonly #minimumDb: number;
  readonly #hangoverSamples: number;
  readonly #sampleRate: number;
  #power = 0;
  #floorDb = kFloorStartDb;
  #active = false;
  #sinceVoice = 0;

  constructor(options: VoiceActivityOptions) {
    this.#sampleRate = options.sampleRate;
    this.#onsetDb = options.onsetDb ?? 9;
    this.#holdDb = options.holdDb ?? 5;
    this.#minimumDb = options.minimumDb ?? -62;
    const hangoverMs = Math.max(1000, options.hangoverMs ?? 1200);
    this.#hangoverSamples = (hangoverMs / 1000) * options.sampleRate;
  }

  /** Takes one block of samples (-1 to 1) and says whether the person is speaking. */
  push(block: Float32Array): boolean {
    if (block.length === 0) return this.#active;
    const energy = meanSquare(block);
    const seconds = block.length / this.#sampleRate;
    const share = 1 - Math.exp(-(seconds * 1000) / kSmoothingMs);
    this.#power += (energy - this.#power) * share;
    const level = decibels(this.#power);
    const threshold = this.#floorDb + (this.#active ? this.#holdDb : this.#onsetDb);
    const voiced = level > Math.max(this.#minimumDb, threshold);
    this.#follow(level, voiced, seconds);
    if (voiced) {
      this.#active = true;
      this.#sinceVoice = 0;
    } else if (this.#active) {
      this.#sinceVoice += block.length;
      if (this.#sinceVoice >= this.#hangoverSamples) this.#active = false;
    }
    return this.#active;
  }

  get active(): boolean {
    return this.#active;
  }

  /** The level for the meter: 0 (silence) to 1 (full scale), on a scale of decibels from -60. */
  get level(): number {
    return Math.min(1, Math.max(0, (decibels(this.#power) + 60) / 60));
  }

  get floorDb(): number {
    return this.#floorDb;
  }

  #follow(levelDb: number, voiced: boolean, seconds: number): void {
    if (levelDb < this.#floorDb) {
      // Towards the quieter level within some 100 ms: one quiet block between two words is not the room.
      this.#floorDb += (levelDb - this.#floorDb) * Math.min(1, seconds / 0.1);
    } else {
      const rise = voiced ? kFloorRiseVoicedDbPerSecond : kFloorRiseDbPerSecond;
      this.#floorDb = Math.min(levelDb, this.#floorDb + rise * seconds);
    }
    this.#floorDb = Math.min(kFloorHighDb, Math.max(kFloorLowDb, this.#floorDb));
  }
}

function meanSquare(block: Float32Array): number {
  let sum = 0;
  for (const sample of block) sum += sample * sample;
  // A broken driver's NaN must not stick in the average.
  return Number.isFinite(sum) ? sum / block.length : 0;
}

function decibels(power: number): number {
  return power <= 1e-10 ? kSilenceDb : 10 * Math.log10(power);
}
